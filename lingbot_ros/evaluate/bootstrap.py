"""A statistic with the interval that a bootstrap over windows gives it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_RESAMPLES = 1000
_LOW, _HIGH = 2.5, 97.5

Statistic = Callable[..., NDArray[np.float64]]

STATISTICS: dict[str, Statistic] = {
    "mean": np.mean,
    "median": np.median,
    "p90": lambda values, axis: np.percentile(values, 90, axis=axis),
}


@dataclass(frozen=True)
class Summary:
    """`value` of a statistic, and the 95 % interval of its bootstrap over windows."""

    value: float
    low: float
    high: float


def summarise(values: NDArray[np.float64], statistic: str) -> Summary:
    """`statistic` (mean, median, p90) over the windows of `values` [N] or [N, F]; windows are resampled whole.

    NaN for no windows. The same values give the same interval.
    """
    if values.size == 0:
        return Summary(np.nan, np.nan, np.nan)
    values = values.reshape(len(values), -1)
    compute = STATISTICS[statistic]
    drawn = np.random.default_rng(0).integers(len(values), size=(_RESAMPLES, len(values)))
    resampled = compute(values[drawn].reshape(_RESAMPLES, -1), axis=1)
    low, high = np.percentile(resampled, (_LOW, _HIGH))
    return Summary(float(compute(values.reshape(1, -1), axis=1)[0]), float(low), float(high))
