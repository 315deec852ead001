"""Bootstrap of the rates of two arms: over the starts alone, or over policies and starts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.errors import InputError

Floats = NDArray[np.float64]

SAMPLES = 10_000


@dataclass(frozen=True)
class Arms:
    """Outcomes float64 [policies, starts] of both arms: 1 success, 0 failure, NaN undecided.

    `paired`: column j is the same start and policy seed in both. Unpaired arms may have different numbers of starts.
    """

    imagined: Floats
    reference: Floats
    paired: bool = True

    def __post_init__(self) -> None:
        one, other = self.imagined.shape, self.reference.shape
        if len(one) != 2 or len(other) != 2 or one[0] != other[0] or (self.paired and one != other):
            raise InputError("arms", f"shapes {one}, {other}", "give [policies, starts], for pairs of the same shape")
        for arm in (self.imagined, self.reference):
            if not np.isin(arm[np.isfinite(arm)], (0.0, 1.0)).all():
                raise InputError("arms", "an outcome other than 0, 1 and NaN", "threshold the scores first")

    def complete(self) -> "Arms":
        """Of paired arms, the pairs with both outcomes; the others become undecided in both arms."""
        if not self.paired:
            return self
        both = np.isfinite(self.imagined) & np.isfinite(self.reference)
        return Arms(np.where(both, self.imagined, np.nan), np.where(both, self.reference, np.nan))

    @property
    def dropped_pairs(self) -> int:
        """How many starts have an outcome in one arm only."""
        return int((np.isfinite(self.imagined) != np.isfinite(self.reference)).sum()) if self.paired else 0

    def rates(self) -> tuple[Floats, Floats]:
        """Imagined and reference rates [policies]. Raises InputError for a policy without outcomes."""
        whole = self.complete()
        for arm in (whole.imagined, whole.reference):
            if not np.isfinite(arm).any(axis=1).all():
                raise InputError("arms", "a policy without outcomes", "leave it out")
        return np.nanmean(whole.imagined, axis=1), np.nanmean(whole.reference, axis=1)

    def only(self, policies: NDArray[np.bool_]) -> "Arms":
        """The arms of some policies, bool [policies]."""
        return Arms(self.imagined[policies], self.reference[policies], self.paired)


def over_starts(arms: Arms, rng: np.random.Generator, samples: int = SAMPLES) -> tuple[Floats, Floats]:
    """Replicates [samples, policies] of both arms' rates: the policies stay, starts are drawn, the same for all."""
    whole = arms.complete()
    count = _drawn_counts(whole.imagined.shape[1], samples, rng)
    other = count if arms.paired else _drawn_counts(whole.reference.shape[1], samples, rng)
    return _weighted_rates(whole.imagined, count), _weighted_rates(whole.reference, other)


def over_policies_and_starts(arms: Arms, rng: np.random.Generator, samples: int = SAMPLES) -> tuple[Floats, Floats]:
    """Replicates [samples, policies]: policies are drawn, and starts anew for each of them."""
    whole = arms.complete()
    policies = len(whole.imagined)
    drawn = rng.integers(policies, size=(samples, policies))
    imagined, reference = np.empty(drawn.shape), np.empty(drawn.shape)
    for slot in range(policies):
        count = _drawn_counts(whole.imagined.shape[1], samples, rng)
        other = count if arms.paired else _drawn_counts(whole.reference.shape[1], samples, rng)
        imagined[:, slot] = _row_rates(whole.imagined[drawn[:, slot]], count)
        reference[:, slot] = _row_rates(whole.reference[drawn[:, slot]], other)
    return imagined, reference


def _drawn_counts(starts: int, samples: int, rng: np.random.Generator) -> Floats:
    """How often each start is drawn: [samples, starts]."""
    return rng.multinomial(starts, np.full(starts, 1 / starts), size=samples).astype(np.float64)


def _weighted_rates(outcomes: Floats, count: Floats) -> Floats:
    known = np.isfinite(outcomes)
    with np.errstate(invalid="ignore"):
        return np.asarray(count @ np.where(known, outcomes, 0.0).T / (count @ known.T.astype(np.float64)))


def _row_rates(outcomes: Floats, count: Floats) -> Floats:
    known = np.isfinite(outcomes)
    with np.errstate(invalid="ignore"):
        return np.asarray((count * np.where(known, outcomes, 0.0)).sum(axis=1) / (count * known).sum(axis=1))
