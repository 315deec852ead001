"""How good are probabilities p [n] of outcomes y [n], 0 or 1? What is not defined is None."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats  # type: ignore[import-untyped]

from lingbot_ros.errors import InputError

Floats = NDArray[np.float64]

_EDGE = 1e-6


def brier(p: ArrayLike, y: ArrayLike) -> float | None:
    """The mean squared error of the probabilities, 0 best."""
    p, y = check_probabilities(p, y)
    return float(((p - y) ** 2).mean()) if len(p) else None


def brier_skill(p: ArrayLike, y: ArrayLike) -> float | None:
    """1 - Brier over that of always saying the mean of y; None where all outcomes are equal."""
    p, y = check_probabilities(p, y)
    if not len(y) or np.ptp(y) == 0:
        return None
    return float(1 - ((p - y) ** 2).mean() / ((y - y.mean()) ** 2).mean())


def negative_log_likelihood(p: ArrayLike, y: ArrayLike) -> float | None:
    """The mean of -ln of the probability of what happened, with p kept 1e-6 away from 0 and 1."""
    p, y = check_probabilities(p, y)
    clipped = np.clip(p, _EDGE, 1 - _EDGE)
    return float(-(y * np.log(clipped) + (1 - y) * np.log(1 - clipped)).mean()) if len(p) else None


def auroc(scores: ArrayLike, y: ArrayLike) -> float | None:
    """The probability that a success scores higher than a failure, ties half; None without one of the two."""
    s, y = np.asarray(scores, np.float64), np.asarray(y, np.float64)
    success, failure = s[y == 1], s[y == 0]
    if not len(success) or not len(failure):
        return None
    return float(stats.mannwhitneyu(success, failure).statistic / (len(success) * len(failure)))


@dataclass(frozen=True)
class ReliabilityBin:
    """`count` rollouts: the mean of their probabilities and the rate at which they succeeded."""

    count: int
    probability: float
    rate: float


def reliability(p: ArrayLike, y: ArrayLike, bins: int = 10) -> tuple[ReliabilityBin, ...]:
    """Bins of equal mass, contiguous in p; the larger ones first where the count does not divide."""
    p, y = check_probabilities(p, y)
    if bins < 1:
        raise InputError("bins", bins, "give 1 or more")
    order = np.argsort(p, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return tuple(ReliabilityBin(len(part), float(p[part].mean()), float(y[part].mean())) for part in parts)


def expected_calibration_error(p: ArrayLike, y: ArrayLike, bins: int = 10) -> float | None:
    """The mean distance of probability and rate over the bins of `reliability`, weighted by their counts."""
    found = reliability(p, y, bins)
    total = sum(part.count for part in found)
    return sum(part.count * abs(part.probability - part.rate) for part in found) / total if total else None


def risk_under_coverage(errors: ArrayLike, confidence: ArrayLike) -> float | None:
    """The area under the risk-coverage curve: the mean error rate of the most confident 1, 2, ... n; 0 is best."""
    wrong, sure = np.asarray(errors, np.float64), np.asarray(confidence, np.float64)
    if wrong.shape != sure.shape:
        raise InputError("errors, confidence", f"shapes {wrong.shape}, {sure.shape}", "give one of each per rollout")
    if not len(wrong):
        return None
    ordered = wrong[np.argsort(-sure, kind="stable")]
    return float((np.cumsum(ordered) / np.arange(1, len(ordered) + 1)).mean())


def check_probabilities(p: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
    """Both as float64 [n]. Raises InputError for other shapes, probabilities outside 0..1, outcomes but 0 and 1."""
    first, second = np.asarray(p, np.float64), np.asarray(y, np.float64)
    if first.ndim != 1 or first.shape != second.shape:
        raise InputError("p, y", f"shapes {first.shape}, {second.shape}", "give one of each per rollout")
    if not ((first >= 0) & (first <= 1)).all() or not np.isin(second, (0.0, 1.0)).all():
        raise InputError("p, y", "a value out of range", "give probabilities 0..1 and outcomes 0 or 1")
    return first, second
