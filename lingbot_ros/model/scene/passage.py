"""Whether the camera's way is free, by what is remembered and painted."""

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.model.scene.camera import Floats
from lingbot_ros.model.scene.keyframes import Keyframes

_FEET_M, _HEAD_M = 0.15, 0.3
"""Surfaces lower than this above the floor, or higher above the eye, are in nobody's way."""
_POINTS = 4
"""So many points of a surface stop a camera; fewer are errors of depth."""


def is_blocked(
    memory: Keyframes, start: NDArray[np.float64], goal: NDArray[np.float64], radius_m: float, floor_y: float
) -> bool:
    """Whether a robot of that radius that moves straight from `start` to `goal` [3] comes too near to a surface.

    A move that leads away from what is too near already is free.
    """
    return meets(memory.points[: memory.count].reshape(-1, 3), start, goal, radius_m, floor_y, _POINTS)


def meets(
    points: Floats, start: NDArray[np.float64], goal: NDArray[np.float64], radius_m: float, floor_y: float, least: int
) -> bool:
    """Whether the way comes within `radius_m` of at least so many of the points [n, 3], and nearer than it began."""
    if np.allclose(start, goal, atol=1e-9):
        return False
    x, y, z = points.T
    reach = radius_m + float(np.linalg.norm(goal - start))
    near = (np.abs(x - start[0]) < reach) & (np.abs(z - start[2]) < reach)
    near &= (y < floor_y - _FEET_M) & (y > min(start[1], goal[1]) - _HEAD_M)
    close = points[near][:, [0, 2]].astype(np.float64)
    if len(close) < least:
        return False
    a, b = start[[0, 2]], goal[[0, 2]]
    way = b - a
    share = np.clip((close - a) @ way / max(float(way @ way), 1e-12), 0, 1)
    distance = np.linalg.norm(close - (a + share[:, None] * way), axis=1)
    before = np.linalg.norm(close - a, axis=1)
    return bool(((distance < radius_m) & (distance < before - 1e-6)).sum() >= least)
