"""Value and advantage of images, for policies that condition on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.evaluate.rollouts.stepper import Frames

ADVANTAGE_STEPS = 8
DISCOUNT = 0.99


class ValueEstimator(Protocol):
    """definition: what the value means, for a person. low, high: its smallest and largest."""

    definition: str
    low: float
    high: float

    def values(self, frames: Frames) -> NDArray[np.float64]:
        """Of frames uint8 [n, H, W, 3] RGB: float64 [n]. Raises InputError for frames that it cannot read."""


@dataclass(frozen=True)
class AdvantageRange:
    """The advantages that values between low and high can have."""

    low: float
    high: float


def advantage_range(estimator: ValueEstimator) -> AdvantageRange:
    """Of `advantages` over at most 8 steps."""
    return AdvantageRange(DISCOUNT**ADVANTAGE_STEPS * estimator.low - estimator.high, estimator.high - estimator.low)


def advantages(values: Sequence[float], steps: int = ADVANTAGE_STEPS) -> list[float]:
    """Of each frame but the last: discounted value `steps` frames on, at the end fewer, minus the value now.

    The value is progress towards success and is reached at the end of a rollout, so that there is no reward on the way.
    NaN where a value is.
    """
    found = []
    for now, value in enumerate(values[:-1]):
        later = min(now + steps, len(values) - 1)
        gained = DISCOUNT ** (later - now) * values[later] - value
        found.append(gained if isfinite(gained) else float("nan"))
    return found
