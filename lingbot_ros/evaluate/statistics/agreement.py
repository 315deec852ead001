"""One table for two arms: how far may imagined rates be believed?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.evaluate.seeds import generator
from lingbot_ros.evaluate.statistics import correlation, ordering
from lingbot_ros.evaluate.statistics.ceiling import Ceiling, perfect_simulator
from lingbot_ros.evaluate.statistics.interval import Interval, percentile_interval
from lingbot_ros.evaluate.statistics.resampling import SAMPLES, Arms, over_policies_and_starts, over_starts

Floats = NDArray[np.float64]

_RANGE_LIMIT = 0.3
_INFLUENCE_LIMIT = 0.1
_UNDEFINED_LIMIT = 0.05
_FEW_TRIALS, _SOME_TRIALS = 20, 50
_ANECDOTAL, _WEAK = 5, 7


@dataclass(frozen=True)
class Correlation:
    """A correlation with its intervals. `published` is the hull of Fisher's and of the bootstrap over both levels.

    Every figure is None where it is not defined: all where a series is constant, the intervals below 4 policies.
    """

    value: float | None
    fisher: Interval | None
    bootstrap_starts: Interval | None
    bootstrap: Interval | None
    p_permutation: float | None

    @property
    def published(self) -> Interval | None:
        return None if self.fisher is None else self.fisher.hull(self.bootstrap)


@dataclass(frozen=True)
class Agreement:
    """Imagined and reference rates [policies] and what they have in common. Figures that are not defined are None."""

    imagined: Floats
    reference: Floats
    pearson: Correlation
    spearman: Correlation
    kendall: float | None
    mmrv: float | None
    mmrv_interval: Interval | None
    mmrv_symmetric: float | None
    bias: float | None
    mean_absolute_error: float | None
    root_mean_square_error: float | None
    line: tuple[float, float] | None
    top1_regret: float | None
    ordered_pairs: tuple[ordering.OrderedPairs, ...]
    leave_one_out: Interval | None
    ceiling: Ceiling | None
    dropped_pairs: int
    warnings: tuple[str, ...]

    @property
    def policies(self) -> int:
        return len(self.reference)


def agree(arms: Arms, *, seed: int = 0, samples: int = SAMPLES, alpha: float = 0.05) -> Agreement:
    """Compare the arms of all policies; equal inputs give equal figures.

    Raises InputError for a policy without outcomes.
    """
    imagined, reference = arms.rates()
    rates = {"imagined": imagined, "reference": reference}
    starts = over_starts(arms, generator(seed, "bootstrap over starts"), samples)
    both = over_policies_and_starts(arms, generator(seed, "bootstrap over policies and starts"), samples)
    pearson = _correlation(imagined, reference, starts, both, seed, alpha, ranks=False)
    influence = correlation.leave_one_out(**rates)
    undefined = float(np.isnan(correlation.pearson_rows(*both)).mean())
    trials = [int(np.isfinite(arm).sum(axis=1).min()) for arm in (arms.complete().imagined, arms.complete().reference)]
    enough = len(imagined) >= correlation.FEWEST_POLICIES
    return Agreement(
        imagined=imagined,
        reference=reference,
        pearson=pearson,
        spearman=_correlation(imagined, reference, starts, both, seed, alpha, ranks=True),
        kendall=correlation.kendall(**rates),
        mmrv=ordering.mmrv(**rates),
        mmrv_interval=percentile_interval(ordering.mmrv_rows(*both), alpha) if enough else None,
        mmrv_symmetric=ordering.mmrv_symmetric(**rates),
        bias=ordering.bias(**rates),
        mean_absolute_error=ordering.mean_absolute_error(**rates),
        root_mean_square_error=ordering.root_mean_square_error(**rates),
        line=ordering.line(**rates),
        top1_regret=ordering.top1_regret(**rates),
        ordered_pairs=ordering.ordered_pairs(imagined=imagined, reference=reference),
        leave_one_out=influence,
        ceiling=perfect_simulator(reference, trials[1], trials[0], generator(seed, "ceiling"))
        if len(reference) > 1
        else None,
        dropped_pairs=arms.dropped_pairs,
        warnings=_warnings(imagined, reference, pearson.value, influence, undefined, min(trials), arms.paired),
    )


def agree_among_successful(
    arms: Arms, *, seed: int = 0, samples: int = SAMPLES, alpha: float = 0.05
) -> Agreement | None:
    """`agree` without the policies that never succeed in the reference, as these lift r; None if none is left."""
    able = arms.rates()[1] > 0
    return agree(arms.only(able), seed=seed, samples=samples, alpha=alpha) if able.any() else None


def _correlation(
    imagined: Floats,
    reference: Floats,
    starts: tuple[Floats, Floats],
    both: tuple[Floats, Floats],
    seed: int,
    alpha: float,
    ranks: bool,
) -> Correlation:
    rows = correlation.spearman_rows if ranks else correlation.pearson_rows
    value = (correlation.spearman if ranks else correlation.pearson)(imagined=imagined, reference=reference)
    if value is None or len(imagined) < correlation.FEWEST_POLICIES:
        return Correlation(value, None, None, None, None)
    rng = generator(seed, "permutations", int(ranks))
    return Correlation(
        value=value,
        fisher=correlation.fisher_interval(value, len(imagined), alpha, ranks),
        bootstrap_starts=percentile_interval(rows(*starts), alpha),
        bootstrap=percentile_interval(rows(*both), alpha),
        p_permutation=correlation.permutation_p(imagined=imagined, reference=reference, rng=rng, ranks=ranks),
    )


def _warnings(
    imagined: Floats,
    reference: Floats,
    r: float | None,
    influence: Interval | None,
    undefined: float,
    trials: int,
    paired: bool,
) -> tuple[str, ...]:
    count = len(reference)
    constant = np.ptp(imagined) == 0 or np.ptp(reference) == 0
    moved = r is not None and influence is not None and max(influence.high - r, r - influence.low) > _INFLUENCE_LIMIT
    said = {
        "CONSTANT_SERIES": constant,
        "TOO_FEW_SAMPLES": count < correlation.FEWEST_POLICIES,
        "ANECDOTAL": correlation.FEWEST_POLICIES <= count <= _ANECDOTAL,
        "WEAK_EVIDENCE": _ANECDOTAL < count <= _WEAK,
        "TOO_FEW_TRIALS": trials < _FEW_TRIALS,
        "WEAK_TRIALS": _FEW_TRIALS <= trials < _SOME_TRIALS,
        "RANGE_RESTRICTED": float(np.ptp(reference)) < _RANGE_LIMIT,
        "INFLUENTIAL_POLICY": moved,
        "BOOTSTRAP_UNDEFINED": undefined > _UNDEFINED_LIMIT,
        "UNPAIRED": not paired,
    }
    return tuple(code for code, holds in said.items() if holds)
