"""From a scorer's raw numbers to probabilities of success, fitted on labelled rollouts."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import isotonic_regression, minimize  # type: ignore[import-untyped]
from scipy.special import expit  # type: ignore[import-untyped]

from lingbot_ros.errors import InputError

Floats = NDArray[np.float64]

_FEWEST = 20
_ISOTONIC_FROM = 200


@dataclass(frozen=True)
class Platt:
    """p = 1 / (1 + exp(-(a s + b)))."""

    a: float
    b: float

    def __call__(self, scores: ArrayLike) -> Floats:
        return np.asarray(expit(self.a * np.asarray(scores, np.float64) + self.b))


@dataclass(frozen=True)
class Isotonic:
    """Rising probabilities: `levels` [m] at the block centres `scores` [m], linear between, constant outside."""

    scores: Floats
    levels: Floats

    def __call__(self, scores: ArrayLike) -> Floats:
        return np.interp(np.asarray(scores, np.float64), self.scores, self.levels)


Calibrator = Platt | Isotonic


def fit_platt(scores: ArrayLike, y: ArrayLike) -> Platt:
    """Maximum likelihood with smoothed targets. Raises InputError where a higher score means less success."""
    s, labels = _check(scores, y)
    positive = float(labels.sum())
    negative = len(labels) - positive
    target = np.where(labels == 1, (positive + 1) / (positive + 2), 1 / (negative + 2))

    def loss(ab: Floats) -> tuple[float, Floats]:
        z = ab[0] * s + ab[1]
        error = expit(z) - target
        return float((np.logaddexp(0, z) - target * z).sum()), np.array([(error * s).sum(), error.sum()])

    def curvature(ab: Floats) -> Floats:
        p = expit(ab[0] * s + ab[1])
        w = p * (1 - p)
        return np.array([[(w * s * s).sum(), (w * s).sum()], [(w * s).sum(), w.sum()]])

    found = minimize(loss, np.zeros(2), jac=True, hess=curvature, method="trust-exact", options={"gtol": 1e-10})
    a, b = (float(value) for value in found.x)
    if a <= 0:
        raise InputError("scores", f"a slope of {a:.3g}", "give scores of which a higher one means more success")
    return Platt(a, b)


def fit_isotonic(scores: ArrayLike, y: ArrayLike) -> Isotonic:
    """Pool adjacent violators, equal scores pooled first."""
    s, labels = _check(scores, y)
    values, index, count = np.unique(s, return_inverse=True, return_counts=True)
    means = np.bincount(index, labels) / count
    found = isotonic_regression(means, weights=count.astype(np.float64))
    edges = found.blocks
    centres = [np.average(values[a:b], weights=count[a:b]) for a, b in pairwise(edges)]
    return Isotonic(np.array(centres), found.x[edges[:-1]])


def calibrate(scores: ArrayLike, y: ArrayLike) -> Calibrator | None:
    """Isotonic from 200 labelled rollouts on, Platt from 20 on, None below. Raises as `fit_platt`."""
    count = len(np.asarray(y))
    if count < _FEWEST:
        return None
    return fit_isotonic(scores, y) if count >= _ISOTONIC_FROM else fit_platt(scores, y)


def _check(scores: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
    s, labels = np.asarray(scores, np.float64), np.asarray(y, np.float64)
    if s.ndim != 1 or s.shape != labels.shape or not np.isfinite(s).all():
        raise InputError("scores", f"shape {s.shape} for {labels.shape} labels", "give one finite score per label")
    if set(np.unique(labels)) != {0.0, 1.0}:
        raise InputError("labels", sorted(set(labels.tolist())), "give successes (1) and failures (0), some of both")
    return s, labels
