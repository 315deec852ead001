"""The columns of a view as level rays in the walls' axes: what a floor plan is looked at along."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.model.scene.camera import Floats, Pinhole, Pose
from lingbot_ros.model.scene.surfaces import Upright

MARGIN = 32
"""Columns beyond either edge: a camera that is pitched sees them in its corners."""


AZIMUTHS = 128
"""Directions in which walls are looked for all around: direction 0 is the walls' x axis, a quarter on is z."""
_TURN_RAD = (np.arange(AZIMUTHS) + 0.5) * (2 * np.pi / AZIMUTHS)
ALL_AROUND = np.stack((np.cos(_TURN_RAD), np.zeros(AZIMUTHS), np.sin(_TURN_RAD)), -1)
"""They as rays [AZIMUTHS, 3] of 1 m."""


class Bearings:
    """Rays [n, 3] of a level view's columns from `eye` [3], in the walls' axes.

    A ray goes 1 m along the optical axis, so that 1 / disparity of a column is how many of its rays a wall is away.
    """

    def __init__(self, lens: Pinhole, pose: Pose, upright: Upright) -> None:
        self._right, self._ahead, self.eye = (
            upright.along(pose[:3, i].astype(np.float32)).astype(float) for i in (0, 2, 3)
        )
        self._lens = lens
        self.rays = self._towards(np.arange(lens.width + 2 * MARGIN) + 0.5)

    def edges(self) -> NDArray[np.float64]:
        """Rays [n + 1, 3] between the columns and beside the outermost."""
        return self._towards(np.arange(self._lens.width + 2 * MARGIN + 1))

    def points(self, disparity: Floats) -> NDArray[np.float64]:
        """Where on the columns' rays something of those disparities [n] is: [n, 3]."""
        return np.asarray(self.eye + self.rays / disparity[:, None])

    def _towards(self, column: NDArray[Any]) -> NDArray[np.float64]:
        across = (column - MARGIN - self._lens.cx) / self._lens.fx
        return np.asarray(self._ahead[None, :] + across[:, None] * self._right[None, :])
