"""How much of the goal a pose covers, without a simulator."""

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from lingbot_ros.tasks.pusht.geometry import GOAL_POSE, OUTLINE, place

# The T is two boxes that share an edge, so that areas of intersections add.
_BOXES = (OUTLINE[[0, 1, 2, 7]], OUTLINE[[6, 3, 4, 5]])
_AREA = 120 * 30 + 30 * 90


def _placed(pose: ArrayLike) -> list[NDArray[np.float32]]:
    # About the goal, where single precision is fine enough.
    return [(place(box, pose) - np.array(GOAL_POSE[:2])).astype(np.float32) for box in _BOXES]


_GOAL = _placed(GOAL_POSE)


def coverage_of(pose: ArrayLike) -> float:
    """The share 0..1 of the goal that the T at `pose` [3] covers, as gym-pusht counts it; NaN for a NaN pose."""
    if not np.isfinite(pose).all():
        return float("nan")
    covered = sum(cv2.intersectConvexConvex(one, other)[0] for one in _placed(pose) for other in _GOAL)
    return float(covered / _AREA)
