"""The empty room as a view would show it: for each pixel the wall, floor or ceiling that its ray meets, and where.

Walls come of `layout`, floor and ceiling of their heights; doors that nobody saw open walls that nobody saw.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.model.scene.camera import Floats, Pinhole, Pose, level, to_world
from lingbot_ros.model.scene.doors import Bearings, DoorChooser, opened
from lingbot_ros.model.scene.layout import MARGIN, find_layout, wall_band
from lingbot_ros.model.scene.surfaces import CEILING, FLOOR, Upright

_NEAR_SHARE = 0.08
"""What is this near a plane of the room, as a share of its distance, is taken to lie in it."""


@dataclass(frozen=True)
class RoomPlanes:
    """disparity float32 [H, W] in 1/m; surface uint8 [H, W], see `surfaces`: NONE where no straight wall was found."""

    disparity: Floats
    surface: NDArray[np.uint8]

    def hold(self, disparity: Floats, slack_m: float = 0.0) -> NDArray[np.bool_]:
        """Which pixels of a view with that disparity [H, W] lie in the planes: within a share of their distance.

        Or up to `slack_m` in front of them. Not behind: the nearest of several copies of a wall is what a view shows,
        and a wall that took in what is behind it would come nearer each time.
        """
        near = np.abs(np.log(disparity / self.disparity)) < _NEAR_SHARE
        if slack_m:
            in_front = 1 / self.disparity - 1 / disparity
            near |= (in_front > 0) & (in_front < slack_m)
        return np.asarray(near)


def find_planes(
    lens: Pinhole,
    disparity: Floats,
    known: NDArray[np.bool_],
    guess: Floats,
    pose: Pose,
    upright: Upright,
    doors: DoorChooser | None = None,
) -> RoomPlanes:
    """The room around `pose`: walls put through the points of `disparity` [H, W] where `known`, else of `guess`."""
    viewing = lens.rays()
    upright_pose = level(pose)
    floor_y, ceiling_y = upright.heights(pose[1, 3])
    rays = (viewing @ (upright_pose[:3, :3].T @ pose[:3, :3]).T.astype(np.float32)).astype(np.float32)
    ahead = np.maximum(rays[..., 2], 0.05)
    column = rays[..., 0] / ahead * np.float32(lens.fx) + np.float32(lens.cx)
    best = np.where(known, np.maximum(disparity, 0.05), guess)
    band = wall_band(to_world(viewing / best[..., None], pose), floor_y)
    horizontal = best / ahead
    layout = find_layout(
        lens,
        upright_pose,
        upright,
        (column[band & known], horizontal[band & known]),
        (column[band & ~known], horizontal[band & ~known]),
    )
    lintels = None
    if doors is not None:
        bearings = Bearings(lens, upright_pose, upright)
        layout, lintels = opened(layout, bearings, doors(layout, bearings))
    index = np.clip(np.floor(column).astype(int) + MARGIN, 0, len(layout.disparity) - 1)
    wall = layout.disparity[index] * ahead
    eye_y, falls = np.float32(pose[1, 3]), rays[..., 1] > 0
    flat = rays[..., 1] / np.where(falls, np.float32(floor_y) - eye_y, np.float32(ceiling_y) - eye_y)
    surface = np.where(wall >= flat, layout.surface[index], np.where(falls, FLOOR, CEILING))
    plane = np.maximum(wall, flat)
    if lintels is not None and lintels.front.any():
        # Above a door is its wall; between its lintel and the passage's end a low ceiling.
        over, back = lintels.front[index], lintels.back[index]
        low_y = np.float32(floor_y) - lintels.height_m[index]
        low = rays[..., 1] / np.minimum(low_y - eye_y, np.float32(-0.05))
        above = (over > 0) & ~falls
        is_front = above & (low > over * ahead) & (over * ahead >= flat)
        is_low = above & (low <= over * ahead) & (low > back * ahead) & (low > wall)
        plane = np.where(is_front, over * ahead, np.where(is_low, low, plane))
        surface = np.where(is_front, lintels.surface[index], np.where(is_low, CEILING, surface))
    return RoomPlanes(np.clip(plane, 0.05, 10).astype(np.float32), surface.astype(np.uint8))
