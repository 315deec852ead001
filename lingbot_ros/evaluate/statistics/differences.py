"""Is one policy better than another? Differences of two rates, paired or not, alone or in families."""

from collections.abc import Sequence
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats  # type: ignore[import-untyped]

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.statistics.interval import Interval, percentile_interval
from lingbot_ros.evaluate.statistics.rates import wilson

BOOTSTRAP_SAMPLES = 10_000


def newcombe(k1: int, n1: int, k2: int, n2: int, alpha: float = 0.05) -> Interval:
    """The interval of k1 / n1 - k2 / n2 for rollouts that share no starts. Raises as `wilson`."""
    first, second = wilson(k1, n1, alpha), wilson(k2, n2, alpha)
    p1, p2 = k1 / n1, k2 / n2
    below = sqrt((p1 - first.low) ** 2 + (second.high - p2) ** 2)
    above = sqrt((first.high - p1) ** 2 + (p2 - second.low) ** 2)
    return Interval(p1 - p2 - below, p1 - p2 + above)


def mcnemar(only_first: int, only_second: int) -> float:
    """The exact two-sided p-value of two policies on the same starts, from the starts that only one of them solves."""
    together = only_first + only_second
    return float(stats.binomtest(only_first, together).pvalue) if together else 1.0


def paired_difference(
    first: ArrayLike, second: ArrayLike, rng: np.random.Generator, alpha: float = 0.05, samples: int = BOOTSTRAP_SAMPLES
) -> Interval | None:
    """The bootstrap interval of mean(first - second) over shared starts, outcomes [n] 0 or 1. None for no starts."""
    apart = np.asarray(first, np.float64) - np.asarray(second, np.float64)
    if apart.ndim != 1:
        raise InputError("first, second", f"shape {apart.shape}", "give two rows of outcomes of the same starts")
    if not len(apart):
        return None
    drawn = rng.integers(len(apart), size=(samples, len(apart)))
    return percentile_interval(apart[drawn].mean(axis=1), alpha)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down p-values in the order given: a comparison counts where its own is at most alpha."""
    adjusted, floor = [0.0] * len(p_values), 0.0
    for place, index in enumerate(np.argsort(p_values, kind="stable")):
        floor = max(floor, min(1.0, (len(p_values) - place) * p_values[index]))
        adjusted[index] = floor
    return adjusted
