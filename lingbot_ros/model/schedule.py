"""Noise levels and diffusion times of the released family (model_spec 4.1, 4.3)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.model.sampler import SamplerConfig

TRAIN_STEPS = 1000
_FIRST_LEVEL = 0.999


def unshifted_levels(steps: int) -> NDArray[np.float64]:
    """`steps` noise levels from 0.999 towards 0, without the final 0. diffusers' own grid begins 0.001 higher."""
    return np.linspace(_FIRST_LEVEL, 0, steps + 1)[:-1]


def noise_levels(steps: int, shift: float) -> NDArray[np.float64]:
    """The released grid, [steps], pushed towards noise by `shift`."""
    levels = unshifted_levels(steps)
    return np.asarray(shift * levels / (1 + (shift - 1) * levels))


def diffusion_times(levels: NDArray[np.float64]) -> NDArray[np.int64]:
    """The integer time that is fed to the network at each level."""
    return (TRAIN_STEPS * levels).astype(np.int64)


def distilled_sampler(indices: Sequence[int], shift: float) -> SamplerConfig:
    """A row of the distilled models' table: some indices of the 1000-step grid.

    Many integer times occur twice in the grid. The released sampler finds a level by its time: to turn a prediction
    into x0 it takes the first one, to re-noise the second if there is one. The difference is below 0.001.
    """
    levels = noise_levels(TRAIN_STEPS, shift)
    times = diffusion_times(levels)
    chosen = [int(times[index]) for index in indices]
    found = [np.flatnonzero(times == time) for time in chosen]
    return SamplerConfig(
        timesteps=tuple(float(time) for time in chosen),
        sigmas=tuple(float(levels[at[0]]) for at in found),
        renoise=tuple(float(levels[at[min(1, len(at) - 1)]]) for at in found[1:]),
    )
