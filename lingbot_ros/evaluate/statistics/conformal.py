"""A threshold that normal rollouts exceed at most as often as is said, whatever their distribution."""

from math import ceil, inf

import numpy as np
from numpy.typing import ArrayLike


def conformal_threshold(scores: ArrayLike, alpha: float) -> float:
    """From n scores of normal rollouts; another normal one exceeds it with probability alpha at most.

    Infinite where n is too small for alpha: 19 are needed for .05.
    """
    ordered = np.sort(np.asarray(scores, np.float64))
    # 20 * (1 - .1) is 18.000000000000004 in floating point; the rank is 18.
    rank = ceil(round((len(ordered) + 1) * (1 - alpha), 9))
    return float(ordered[rank - 1]) if rank <= len(ordered) else inf


def conformal_p(scores: ArrayLike, score: float) -> float:
    """How unusual `score` is among n scores of normal rollouts: 1/(n+1) to 1."""
    normal = np.asarray(scores, np.float64)
    return float((1 + (normal >= score).sum()) / (len(normal) + 1))
