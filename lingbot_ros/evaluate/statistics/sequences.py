"""Intervals that may be watched while rollouts come in: they hold at all sample sizes together."""

from math import log

from scipy.optimize import brentq  # type: ignore[import-untyped]
from scipy.special import betaln  # type: ignore[import-untyped]

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.statistics.interval import Interval

_EDGE = 1e-15


def confidence_sequence(k: int, n: int, alpha: float = 0.05) -> Interval:
    """The rates that a mixture over Beta(1, 1) does not refute after k successes in n >= 0 rollouts.

    Raises InputError unless 0 <= k <= n.
    """
    if not 0 <= k <= n:
        raise InputError("k, n", (k, n), "give n rollouts, of which 0 to n succeeded")
    if n == 0:
        return Interval(0.0, 1.0)

    def excess(rate: float) -> float:
        against = k * log(rate) if k else 0.0
        against += (n - k) * log(1 - rate) if n - k else 0.0
        return float(betaln(1 + k, 1 + n - k)) - against - log(1 / alpha)

    middle = min(max(k / n, _EDGE), 1 - _EDGE)
    low = 0.0 if k == 0 else float(brentq(excess, _EDGE, middle, xtol=1e-12))
    high = 1.0 if k == n else float(brentq(excess, middle, 1 - _EDGE, xtol=1e-12))
    return Interval(low, high)


class RunningRate:
    """Counts successes as they come; its interval only ever narrows, and may be acted on at any time."""

    def __init__(self, alpha: float = 0.05) -> None:
        self.k, self.n = 0, 0
        self.interval = Interval(0.0, 1.0)
        self._alpha = alpha

    def add(self, success: bool) -> None:
        self.k, self.n = self.k + success, self.n + 1
        now = confidence_sequence(self.k, self.n, self._alpha)
        low, high = max(self.interval.low, now.low), min(self.interval.high, now.high)
        # Once in 1 / alpha runs the intervals part; then the newest is all there is to say.
        self.interval = Interval(low, high) if low <= high else now


def decided(first: RunningRate, second: RunningRate) -> bool:
    """Whether two rates, each watched at alpha / 2, are known to differ."""
    return first.interval.disjoint(second.interval)
