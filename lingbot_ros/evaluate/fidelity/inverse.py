"""Do the frames show the actions that were sent? An estimator reads actions off frames; here the two are compared."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.errors import InputError

Floats = NDArray[np.float64]

WEAK_BELOW = 0.3
"""An estimator that follows real frames less well says nothing of imagined ones."""


@dataclass(frozen=True)
class Following:
    """By component of the action: score 1 perfect, 0 as good as not looking at the frames, negative worse; r2 strongly
    negative for the wrong sign. NaN for a component that never changes.
    """

    score: Floats
    r2: Floats

    @property
    def mean(self) -> float | None:
        """Over components that change; None without one."""
        known = self.score[np.isfinite(self.score)]
        return float(known.mean()) if len(known) else None


def action_following(*, estimated: Floats, commanded: Floats) -> Following:
    """Of estimated and commanded actions [steps, dim]. Raises InputError for other shapes."""
    if estimated.shape != commanded.shape or commanded.ndim != 2 or not len(commanded):
        raise InputError(
            "estimated, commanded", f"shapes {estimated.shape}, {commanded.shape}", "give [steps, dim] twice"
        )
    centred = commanded - commanded.mean(axis=0)
    base, spread = np.abs(centred).mean(axis=0), (centred**2).sum(axis=0)
    error = estimated - commanded
    with np.errstate(divide="ignore", invalid="ignore"):
        score = np.where(base > 0, 1 - np.abs(error).mean(axis=0) / base, np.nan)
        r2 = np.where(spread > 0, 1 - (error**2).sum(axis=0) / spread, np.nan)
    return Following(score, r2)


def relative_following(*, imagined: Following, reference: Following) -> float | None:
    """Imagined over real, which takes the estimator's own error out; None where it is too weak on real frames."""
    if reference.mean is None or imagined.mean is None or reference.mean < WEAK_BELOW:
        return None
    return imagined.mean / reference.mean
