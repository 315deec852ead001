"""What a wrong order costs, and how far apart the rates are: statistics of a ranking by imagined rates."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats  # type: ignore[import-untyped]

from lingbot_ros.evaluate.statistics.correlation import check_rates

Floats = NDArray[np.float64]


def mmrv(*, imagined: ArrayLike, reference: ArrayLike) -> float | None:
    """The mean over policies of the worst reference gap that is ordered wrongly: 0..1, 0 best. None for no policies.

    As published: a tie in one arm only counts against one of the two policies. Swapping the arms gives another number.
    """
    first, second = check_rates(imagined, reference)
    return float(mmrv_rows(first[None], second[None])[0]) if len(first) else None


def mmrv_rows(imagined: Floats, reference: Floats) -> Floats:
    """`mmrv` [B] of the rows of two tables [B, N]."""
    wrong = (imagined[:, :, None] > imagined[:, None]) != (reference[:, :, None] > reference[:, None])
    return _worst_gap(reference, wrong)


def mmrv_symmetric(*, imagined: ArrayLike, reference: ArrayLike) -> float | None:
    """`mmrv` in which an imagined tie counts against both of its policies."""
    first, second = check_rates(imagined, reference)
    if not len(first):
        return None
    wrong = np.sign(first[:, None] - first) != np.sign(second[:, None] - second)
    return float(_worst_gap(second[None], wrong[None])[0])


def bias(*, imagined: ArrayLike, reference: ArrayLike) -> float | None:
    """The mean of imagined - reference: above 0, the imagination flatters. None for no policies."""
    first, second = check_rates(imagined, reference)
    return float((first - second).mean()) if len(first) else None


def mean_absolute_error(*, imagined: ArrayLike, reference: ArrayLike) -> float | None:
    """The mean of |imagined - reference|; None for no policies."""
    first, second = check_rates(imagined, reference)
    return float(np.abs(first - second).mean()) if len(first) else None


def root_mean_square_error(*, imagined: ArrayLike, reference: ArrayLike) -> float | None:
    """The root of the mean of (imagined - reference)^2; None for no policies."""
    first, second = check_rates(imagined, reference)
    return float(np.sqrt(((first - second) ** 2).mean())) if len(first) else None


def line(*, imagined: ArrayLike, reference: ArrayLike) -> tuple[float, float] | None:
    """Slope and intercept of imagined on reference, least squares; None where the reference is constant."""
    first, second = check_rates(imagined, reference)
    if len(first) < 2 or np.ptp(second) == 0:
        return None
    fitted = stats.linregress(second, first)
    return float(fitted.slope), float(fitted.intercept)


def top1_regret(*, imagined: ArrayLike, reference: ArrayLike) -> float | None:
    """How much reference rate is lost by taking the policy that is best in imagination; ties are averaged."""
    first, second = check_rates(imagined, reference)
    return float(second.max() - second[first == first.max()].mean()) if len(first) else None


@dataclass(frozen=True)
class OrderedPairs:
    """Pairs of policies whose reference rates differ by more than `above` and at most `up_to`; `right` of `pairs`."""

    above: float
    up_to: float
    right: int
    pairs: int


def ordered_pairs(
    *, imagined: ArrayLike, reference: ArrayLike, gaps: Sequence[float] = (0.1, 0.2)
) -> tuple[OrderedPairs, ...]:
    """How many pairs are in the right order, by how far apart they are: up to each of `gaps`, and above the last.

    A pair that ties in the reference has no right order and is left out; one that ties in imagination is wrong.
    """
    first, second = check_rates(imagined, reference)
    upper = np.triu_indices(len(first), 1)
    apart = (second[:, None] - second)[upper]
    right = np.sign((first[:, None] - first)[upper]) == np.sign(apart)
    # Rates are counts over counts: .3 - .2 must not fall above .1 by rounding.
    size = np.round(np.abs(apart), 12)
    edges = [0.0, *gaps, 1.0]
    found = []
    for above, up_to in pairwise(edges):
        here = (size > above) & (size <= up_to)
        found.append(OrderedPairs(above, up_to, int(right[here].sum()), int(here.sum())))
    return tuple(found)


def pair_accuracy(*, imagined: ArrayLike, reference: ArrayLike, gap: float = 0.1) -> float | None:
    """The share of pairs in the right order among those whose reference rates differ by `gap` or more."""
    first, second = check_rates(imagined, reference)
    upper = np.triu_indices(len(first), 1)
    apart = (second[:, None] - second)[upper]
    far = np.round(np.abs(apart), 12) >= gap
    right = np.sign((first[:, None] - first)[upper]) == np.sign(apart)
    return float(right[far].mean()) if far.any() else None


def _worst_gap(reference: Floats, wrong: NDArray[np.bool_]) -> Floats:
    gaps = np.abs(reference[:, :, None] - reference[:, None])
    return np.asarray((gaps * wrong).max(axis=2).mean(axis=1))
