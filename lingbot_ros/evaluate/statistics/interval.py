"""An interval of numbers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Interval:
    """low <= high, both included."""

    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    def disjoint(self, other: "Interval") -> bool:
        """Whether the two have no point in common."""
        return self.high < other.low or other.high < self.low

    def hull(self, other: "Interval | None") -> "Interval":
        """The smallest interval that holds both."""
        return self if other is None else Interval(min(self.low, other.low), max(self.high, other.high))


def percentile_interval(replicates: NDArray[np.float64], alpha: float = 0.05) -> Interval | None:
    """The middle 1 - alpha of bootstrap replicates [B]; NaN ones are left out, None where nothing is left."""
    defined = replicates[np.isfinite(replicates)]
    if not len(defined):
        return None
    low, high = np.percentile(defined, (100 * alpha / 2, 100 * (1 - alpha / 2)))
    return Interval(float(low), float(high))
