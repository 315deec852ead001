"""How far into the future can frames be used?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.evaluate.statistics.interval import Interval, percentile_interval

Floats = NDArray[np.float64]

_SAMPLES = 2000
_ONE_SIDED = 5.0


@dataclass(frozen=True)
class Horizon:
    """usable_frames: the last frame up to which the lower end of the mean's one-sided 95 % band keeps the threshold.

    interval: 2.5 and 97.5 % of what resampled rollouts give by their means. slope_per_frame: of the mean curve.
    """

    usable_frames: int
    interval: Interval | None
    slope_per_frame: float


def usable_horizon(values: Floats, threshold: float, rng: np.random.Generator) -> Horizon:
    """Of a figure [rollouts, frames], higher is better, of frames 1, 2, ...; NaN where a rollout has ended."""
    drawn = rng.integers(len(values), size=(_SAMPLES, len(values)))
    means = np.nanmean(values[drawn], axis=1)
    low = np.percentile(means, _ONE_SIDED, axis=0)
    curve = np.nanmean(values, axis=0)
    slope = float(np.polyfit(np.arange(len(curve)), curve, 1)[0]) if len(curve) > 1 else 0.0
    replicates = np.array([_first_below(mean >= threshold) for mean in means], np.float64)
    return Horizon(_first_below(low >= threshold), percentile_interval(replicates), slope)


def _first_below(kept: NDArray[np.bool_]) -> int:
    """How many frames keep it from the first on."""
    return int(len(kept) if kept.all() else np.argmin(kept))
