"""Absolute rates from many imagined and a few real rollouts."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats  # type: ignore[import-untyped]

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.statistics.interval import Interval
from lingbot_ros.evaluate.statistics.rates import clopper_pearson

Floats = NDArray[np.float64]

FEWEST_PAIRS = 10
_FEWEST_POLICIES = 4


@dataclass(frozen=True)
class Debiased:
    """A rate, its standard error and interval; `weight` 0..1 is how far the imagination was relied on."""

    rate: float
    standard_error: float
    weight: float
    interval: Interval


def prediction_powered(
    *,
    reference: ArrayLike,
    imagined: ArrayLike,
    imagined_only: ArrayLike,
    weight: float | None = None,
    alpha: float = 0.05,
) -> Debiased:
    """One policy's rate from paired outcomes reference, imagined [n] and outcomes without a pair, imagined_only [N].

    The weight that the pairs support is chosen unless one is given; 1 is plain prediction-powered inference. With
    fewer than 10 pairs, or where all reference outcomes are equal, the interval is Clopper-Pearson's of the reference
    alone and the weight 0. Raises InputError for no pairs or no unpaired outcomes.
    """
    real, paired, rest = (np.asarray(values, np.float64) for values in (reference, imagined, imagined_only))
    if real.shape != paired.shape or not len(real) or len(rest) < 2:
        raise InputError("outcomes", f"{real.shape}, {paired.shape}, {rest.shape}", "give pairs and 2 or more others")
    n, others = len(real), len(rest)
    if n < FEWEST_PAIRS or np.ptp(real) == 0:
        rate = float(real.mean())
        error = float(real.std(ddof=1) / sqrt(n)) if n > 1 else float("nan")
        return Debiased(rate, error, 0.0, clopper_pearson(int(real.sum()), n, alpha))
    spread = float(rest.var(ddof=1))
    if weight is None:
        together = float(np.cov(real, paired)[0, 1])
        weight = min(max(together / ((1 + n / others) * spread), 0.0), 1.0) if spread else 0.0
    left = real - weight * paired
    rate = weight * float(rest.mean()) + float(left.mean())
    error = sqrt(weight**2 * spread / others + float(left.var(ddof=1)) / n)
    reach = float(stats.norm.ppf(1 - alpha / 2)) * error
    return Debiased(rate, error, weight, Interval(min(max(rate - reach, 0), 1), min(max(rate + reach, 0), 1)))


@dataclass(frozen=True)
class Shrunk:
    """rates [policies] 0..1; line [policies], the regression on the imagined rates; weight [policies] of the real."""

    rates: Floats
    line: Floats
    weight: Floats


def shrink_to_line(*, successes: ArrayLike, trials: ArrayLike, imagined: ArrayLike) -> Shrunk | None:
    """Pull each policy's few real rollouts towards what its imagined rate says of it, by how much either is worth.

    successes, trials [policies] of the real arm (trials >= 1), imagined rates [policies]. The line is fitted over all
    policies; the scatter around it beyond what sampling explains is the line's own error. None where no line can be
    fitted: fewer than 4 policies, or constant imagined rates.
    """
    k, n, rate = (np.asarray(values, np.float64) for values in (successes, trials, imagined))
    if k.shape != n.shape or k.shape != rate.shape or (n < 1).any() or (k < 0).any() or (k > n).any():
        raise InputError("successes, trials", (k, n), "give one of each per policy, 0 <= successes <= trials")
    if len(k) < _FEWEST_POLICIES or np.ptp(rate) == 0:
        return None
    real = k / n
    fitted = stats.linregress(rate, real)
    line = np.clip(fitted.intercept + fitted.slope * rate, 0.0, 1.0)
    # One success and one failure are added to the line's rate, as 0 of 5 does not mean a variance of 0.
    smooth = (n * line + 1) / (n + 2)
    sampling = smooth * (1 - smooth) / n
    scatter = float(((real - line) ** 2).sum() / (len(k) - 2))
    own = max(scatter - float(sampling.mean()), 0.0)
    weight = own / (own + sampling)
    return Shrunk(weight * real + (1 - weight) * line, line, weight)


def extrapolate(*, imagined: float, slope: float, intercept: float) -> float | None:
    """A reference rate from other policies' line of imagined on reference; None where its slope is below .2."""
    return min(max((imagined - intercept) / slope, 0.0), 1.0) if slope >= 0.2 else None
