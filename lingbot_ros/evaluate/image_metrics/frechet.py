"""The Fréchet distance of two sets of features."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import sqrtm  # type: ignore[import-untyped]

from lingbot_ros.errors import InputError

_FEWEST = 2048
_IMAGINARY_LIMIT = 1e-3


def frechet_of_moments(mean_1: ArrayLike, cov_1: ArrayLike, mean_2: ArrayLike, cov_2: ArrayLike) -> float:
    """Of two normal distributions by means [d] and covariances [d, d]; 0 is equal. Raises InputError if undefined."""
    mu_1, mu_2 = np.atleast_1d(np.asarray(mean_1, float)), np.atleast_1d(np.asarray(mean_2, float))
    s_1, s_2 = np.atleast_2d(np.asarray(cov_1, float)), np.atleast_2d(np.asarray(cov_2, float))
    root = sqrtm(s_1 @ s_2)
    size = max(float(np.abs(root.real).max()), 1e-12)
    if not np.isfinite(root).all() or float(np.abs(np.imag(root)).max()) > _IMAGINARY_LIMIT * size:
        raise InputError("covariances", "a product without a real root", "give more samples than features")
    return float(((mu_1 - mu_2) ** 2).sum() + np.trace(s_1 + s_2 - 2 * root.real))


def frechet_distance(*, imagined: NDArray[np.float64], reference: NDArray[np.float64]) -> float | None:
    """Of features [n, d] of each arm; None for fewer than max(2048, d) of either, which would say nothing."""
    if min(len(imagined), len(reference)) < max(_FEWEST, imagined.shape[1]):
        return None
    return frechet_of_moments(imagined.mean(axis=0), np.cov(imagined.T), reference.mean(axis=0), np.cov(reference.T))
