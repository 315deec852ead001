"""Which remembered views a new view is rendered from: those that cover it, near before far."""

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.model.scene.camera import Pose
from lingbot_ros.model.scene.keyframes import Keyframes, pose_distance

CELLS = 16
"""Cells of the new view, per side."""


def coverage(memory: Keyframes, pose: Pose) -> NDArray[np.float32]:
    """Whether each row covers each cell of the view at `pose`: float32 [count, CELLS^2], 1 where it does.

    A row does not cover what stands behind something that another row knows.
    """
    count, lens = memory.count, memory.lens
    points = memory.points[:count]
    column, line, z = lens.project(points, pose)
    x = (column * (CELLS / lens.width)).astype(np.int32)
    y = (line * (CELLS / lens.height)).astype(np.int32)
    inside = (z > 0.05) & (column >= 0) & (line >= 0) & (x < CELLS) & (y < CELLS)
    row, point = np.nonzero(inside)
    cell, z = y[row, point] * CELLS + x[row, point], z[row, point]
    nearest = np.full(CELLS * CELLS, np.inf, np.float32)
    np.minimum.at(nearest, cell, z)
    in_front = z < 1.5 * nearest[cell] + 0.3
    covered = np.zeros((count, CELLS * CELLS), np.float32)
    covered[row[in_front], cell[in_front]] = 1
    return covered


def select(memory: Keyframes, pose: Pose, limit: int) -> list[int]:
    """Up to `limit` rows, best first: each time the one that adds most, nearness deciding between equals."""
    if memory.count == 0:
        return []
    covered = coverage(memory, pose)
    nearness = 1 / (1 + pose_distance(memory.pose[: memory.count], pose[None])[:, 0])
    best = np.zeros(covered.shape[1], np.float32)
    chosen: list[int] = []
    for _ in range(min(limit, memory.count)):
        gain = np.maximum(covered - best, 0).sum(1) + 8 * nearness * (covered.max(1) > 0)
        gain[chosen] = -1
        index = int(gain.argmax())
        if gain[index] <= 0:
            break
        chosen.append(index)
        best = np.maximum(best, covered[index])
    return chosen
