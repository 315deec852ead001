"""Intervals of one rate of success: k successes in n rollouts."""

from math import ceil, log

from scipy import stats  # type: ignore[import-untyped]

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.statistics.interval import Interval


def wilson(k: int, n: int, alpha: float = 0.05) -> Interval:
    """The interval that is displayed: nominal coverage on average. Raises InputError unless n >= 1 and 0 <= k <= n."""
    return _proportion(k, n, alpha, "wilson")


def clopper_pearson(k: int, n: int, alpha: float = 0.05) -> Interval:
    """The interval that decides gates: it covers at least 1 - alpha whatever the true rate. Raises as `wilson`."""
    return _proportion(k, n, alpha, "exact")


def upper_bound(k: int, n: int, alpha: float = 0.05) -> float:
    """The one-sided bound that the true rate stays below with confidence 1 - alpha, exact. Raises as `wilson`."""
    _check(k, n)
    found = stats.binomtest(k, n, alternative="less").proportion_ci(1 - alpha, method="exact")
    return float(found.high)


def trials_for_half_width(half_width: float, rate: float = 0.5, alpha: float = 0.05) -> int:
    """How many rollouts give a rate to within +- `half_width`, both 0..1."""
    if not 0 < half_width < 1 or not 0 <= rate <= 1:
        raise InputError("half_width, rate", (half_width, rate), "give a half width inside 0..1 and a rate in 0..1")
    z = stats.norm.ppf(1 - alpha / 2)
    return ceil(z**2 * rate * (1 - rate) / half_width**2)


def trials_without_success(limit: float, alpha: float = 0.05) -> int:
    """How many rollouts, none of which succeeds, show that the true rate is at most `limit`."""
    if not 0 < limit < 1:
        raise InputError("limit", limit, "give a rate inside 0..1")
    return ceil(log(alpha) / log(1 - limit))


def _proportion(k: int, n: int, alpha: float, method: str) -> Interval:
    _check(k, n)
    found = stats.binomtest(k, n).proportion_ci(1 - alpha, method=method)
    return Interval(float(found.low), float(found.high))


def _check(k: int, n: int) -> None:
    if n < 1 or not 0 <= k <= n:
        raise InputError("k, n", (k, n), "give n >= 1 rollouts, of which 0 to n succeeded")
