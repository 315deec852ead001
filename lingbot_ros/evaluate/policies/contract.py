"""What a policy is to the evaluator, and how it may fail."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.text_enum import TextEnum

Frame = NDArray[np.uint8]
Actions = NDArray[np.float64]
StateReader = Callable[[Frame], NDArray[np.float64]]


@dataclass(frozen=True)
class Start:
    """Where a rollout begins: the same for all policies and in both arms.

    image uint8 [h, w, 3] RGB, the first image. state: what a simulator needs to begin at the same place, of its own
    type. seen_in_training: whether the world model was trained on its episode; None where nobody knows.
    """

    id: str
    image: Frame
    instruction: str = ""
    state: Any = None
    seen_in_training: bool | None = None


@dataclass(frozen=True)
class Observation:
    """What a policy sees. image uint8 [h, w, 3] RGB; step: how many actions have been carried out so far.

    read_state: of tasks that can read off an image what the robot's own sensors would say.
    """

    image: Frame
    step: int
    instruction: str = ""
    read_state: StateReader | None = None

    @property
    def state(self) -> Actions | None:
        """The robot's own state [n] as the image shows it, in the task's units; None where the task cannot read it."""
        return None if self.read_state is None else self.read_state(self.image)


class Policy(Protocol):
    """One robot's brain. It keeps what it remembers of the rollout in itself, and forgets it at `reset`."""

    def reset(self, seed: int) -> None:
        """Begin a rollout; all randomness of it comes from `seed`, so that it can be repeated."""

    def act(self, observation: Observation) -> Actions:
        """The next actions, float64 [dim] or a chunk [n, dim], in the units of the task. The whole chunk is carried out
        before the policy is asked again.
        """


class FailureKind(TextEnum):
    """Why a rollout has no verdict, or ended before its time. Such rollouts are counted and not scored."""

    CRASHED = "policy_crashed"
    STALLED = "policy_stalled"
    LATE = "policy_late"
    BAD_ACTION = "policy_bad_action"
    OUT_OF_ACTIONS = "policy_out_of_actions"
    GONE = "policy_gone"
    WORLD_FAILED = "world_failed"
    SCORER_FAILED = "scorer_failed"


class PolicyCrashedError(Exception):
    """Raised for a policy that failed elsewhere; its text is the whole reason."""


class PolicyGoneError(Exception):
    """Raised by a policy that is elsewhere and cannot be reached any more; counted as GONE."""


@dataclass(frozen=True)
class PolicyFailure:
    """A failure with a sentence for the report."""

    kind: FailureKind
    reason: str


class RowPolicies(Protocol):
    """One policy that plays many rollouts side by side, each in a row of its own. A row that fails fails alone."""

    name: str

    def begin(self, row: int, start: Start, seed: int) -> PolicyFailure | None:
        """Begin a rollout in `row`; what the row played before is forgotten."""

    def act(self, rows: Sequence[int], observations: Sequence[Observation]) -> Sequence[Actions | PolicyFailure]:
        """For each of `rows`, a chunk float64 [n, dim] or why there is none; a row that failed is not asked again."""

    def end(self, row: int) -> None:
        """The row's rollout is over."""

    def close(self) -> None:
        """The evaluation is over; let go of threads, connections and processes."""
