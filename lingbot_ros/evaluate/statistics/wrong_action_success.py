"""Do imagined successes need the right actions? Statistics of controls, whose actions cannot succeed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from lingbot_ros.evaluate.statistics.differences import newcombe
from lingbot_ros.evaluate.statistics.interval import Interval
from lingbot_ros.evaluate.statistics.rates import upper_bound

FALSE_SUCCESS_LIMIT = 0.05
_UNIVERSAL_LIMIT = 0.10
_FEWEST_REFERENCE = 30


def is_universal(successes: int, trials: int) -> bool:
    """Whether the reference shows that a control never succeeds: 0 of 30 or more."""
    return trials >= _FEWEST_REFERENCE and not successes and upper_bound(successes, trials) <= _UNIVERSAL_LIMIT


@dataclass(frozen=True)
class FalseSuccess:
    """`successes` of `trials` imagined rollouts under actions that cannot succeed."""

    successes: int
    trials: int

    @property
    def rate(self) -> float:
        return self.successes / self.trials

    @property
    def upper(self) -> float:
        """The rate of hallucinated success stays below this with 95 % confidence."""
        return upper_bound(self.successes, self.trials)

    @property
    def passed(self) -> bool:
        """Whether at most 5 % of such rollouts can be imagined as successes; it takes 0 of 59 or more to show."""
        return self.upper <= FALSE_SUCCESS_LIMIT

    def excess(self, successes: int, trials: int) -> Interval:
        """How much more often the control succeeds in imagination than in the reference's `trials`."""
        return newcombe(self.successes, self.trials, successes, trials)


def optimism_index(*, controls: ArrayLike, true_actions: ArrayLike) -> float | None:
    """Imagined success of universal controls over that of true actions: 0 best, 1 when actions do not matter.

    None where true actions never succeed.
    """
    wrong, right = (float(np.asarray(values, np.float64).mean()) for values in (controls, true_actions))
    return wrong / right if right else None


def paired_win(*, true_actions: ArrayLike, controls: ArrayLike) -> float | None:
    """The share of starts on which true actions outscore the control's; ties count half. None for no starts."""
    right, wrong = np.asarray(true_actions, np.float64), np.asarray(controls, np.float64)
    return float(np.mean((right > wrong) + 0.5 * (right == wrong))) if len(right) else None
