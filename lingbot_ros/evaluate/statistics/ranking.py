"""The order of policies by their outcomes on shared starts, and how sure it is."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats  # type: ignore[import-untyped]

from lingbot_ros.evaluate.statistics.differences import holm, mcnemar
from lingbot_ros.evaluate.statistics.interval import Interval

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Ranking:
    """Of N policies: rank (1 best, ties share the mean) with interval, tie group (1 first), chance of being the best.

    better [N, N] is the bootstrap probability that i is better than j, ties half; NaN-free, 1/2 on the diagonal.
    """

    rank: Floats
    interval: tuple[Interval, ...]
    tie_group: tuple[int, ...]
    best: Floats
    better: Floats


def rank_policies(outcomes: Floats, rng: np.random.Generator, samples: int = 10_000, alpha: float = 0.05) -> Ranking:
    """outcomes [policies, starts]: 1 success, 0 failure, NaN undecided. The same starts are drawn for all policies."""
    rates = np.nanmean(outcomes, axis=1)
    drawn = _drawn_rates(outcomes, rng, samples)
    ranks = stats.rankdata(-drawn, axis=1)
    low, high = np.percentile(ranks, (100 * alpha / 2, 100 * (1 - alpha / 2)), axis=0)
    top = drawn == drawn.max(axis=1, keepdims=True)
    above = (drawn[:, :, None] > drawn[:, None]).mean(axis=0)
    return Ranking(
        rank=stats.rankdata(-rates),
        interval=tuple(Interval(float(a), float(b)) for a, b in zip(low, high, strict=True)),
        tie_group=tie_groups(outcomes, alpha),
        best=(top / top.sum(axis=1, keepdims=True)).mean(axis=0),
        better=above + (1 - above - above.T) / 2,
    )


def tie_groups(outcomes: Floats, alpha: float = 0.05) -> tuple[int, ...]:
    """The group of each policy, 1 first: members do not differ significantly (Holm, McNemar) from the group's best."""
    rates = np.nanmean(outcomes, axis=1)
    left = [int(index) for index in np.argsort(-rates, kind="stable")]
    groups = [0] * len(rates)
    group = 0
    while left:
        group += 1
        best, others = left[0], left[1:]
        adjusted = holm([_p_value(outcomes[best], outcomes[other]) for other in others])
        # The order of rates is kept: a group ends at its first member that differs.
        same = next((place for place, p in enumerate(adjusted) if p <= alpha), len(others))
        for member in (best, *others[:same]):
            groups[member] = group
        left = others[same:]
    return tuple(groups)


def _p_value(first: Floats, second: Floats) -> float:
    return mcnemar(int(((first == 1) & (second == 0)).sum()), int(((first == 0) & (second == 1)).sum()))


def _drawn_rates(outcomes: Floats, rng: np.random.Generator, samples: int) -> Floats:
    starts = outcomes.shape[1]
    count = rng.multinomial(starts, np.full(starts, 1 / starts), size=samples).astype(np.float64)
    known = np.isfinite(outcomes)
    total = count @ known.T.astype(np.float64)
    return np.asarray(count @ np.where(known, outcomes, 0.0).T / np.maximum(total, 1.0))
