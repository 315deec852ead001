"""Trajectories with times of their own -> one control per frame."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.control.poses import Poses, interpolate_poses
from lingbot_ros.errors import InputError

# An hour or more of imagined time; a stamp that was left at zero among others would ask for decades.
_MOST_FRAMES = 100_000


def resample_poses(poses: Poses, times_s: Sequence[float], fps: float, field: str) -> Poses:
    """Poses [n, 4, 4] at increasing times [n] -> poses at times[0] + k / fps, k = 1, 2, ... up to the last time.

    Without times (all equal to 0) each pose is one frame. Translations linear, rotations along the shortest arc.
    """
    if not any(times_s):
        return poses
    positions = _positions(times_s, fps, times_s[0], field)
    return interpolate_poses(poses, positions)


def resample_values(
    values: NDArray[np.float64], times_s: Sequence[float], fps: float, field: str
) -> NDArray[np.float64]:
    """Values [n, dim] at increasing times from now on -> values at k / fps, k = 1, 2, ..., linear between.

    Before the first time its values hold. A single point with time 0 is one frame.
    """
    if len(times_s) == 1 and not times_s[0]:
        return values
    positions = _positions(times_s, fps, 0.0, field)
    before = np.floor(positions).astype(int)
    after = np.minimum(before + 1, len(values) - 1)
    part = (positions - before)[:, None]
    return np.asarray((1 - part) * values[before] + part * values[after])


def _positions(times_s: Sequence[float], fps: float, start_s: float, field: str) -> NDArray[np.float64]:
    """Fractional indices into times, one per frame from `start_s` on; at least one."""
    times = np.asarray(times_s, np.float64)
    for index in range(1, len(times)):
        if not times[index] > times[index - 1]:
            value = f"{times[index]:.9g} s after {times[index - 1]:.9g} s"
            raise InputError(f"{field}[{index}]", value, "give times that increase strictly")
    frames = max(1, int(np.floor((times[-1] - start_s) * fps + 1e-6)))
    if frames > _MOST_FRAMES:
        value = f"{times[-1] - start_s:.9g} s"
        raise InputError(f"{field}[{len(times) - 1}]", value, f"give at most {_MOST_FRAMES} frames ({fps:g} per s)")
    return np.interp(start_s + np.arange(1, frames + 1) / fps, times, np.arange(len(times)))
