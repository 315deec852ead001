"""A floor plan as a view shows it: for each pixel the wall, floor or ceiling that its ray meets, and where."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.model.scene.bearings import MARGIN, Bearings
from lingbot_ros.model.scene.camera import Floats, Pinhole, Pose, level, to_world
from lingbot_ros.model.scene.doors import Door, lintel_of
from lingbot_ros.model.scene.floor_plan import Sight
from lingbot_ros.model.scene.layout import Layout, profile_of, wall_band
from lingbot_ros.model.scene.surfaces import CEILING, FLOOR, WALL, Upright

_NEARLY = 0.9


@dataclass(frozen=True)
class RoomPlanes:
    """disparity float32 [H, W] in 1/m; surface uint8 [H, W], see `surfaces`.

    known [H, W]: which pixels the plan knows; hides [H, W]: which show a painted wall.
    """

    disparity: Floats
    surface: NDArray[np.uint8]
    known: NDArray[np.bool_]
    hides: NDArray[np.bool_]


class LevelView:
    """The pixels of a view in the columns of a level one from the same place."""

    def __init__(self, lens: Pinhole, pose: Pose, upright: Upright) -> None:
        self.lens, self.pose, self.upright = lens, pose, upright
        self.viewing = lens.rays()
        upright_pose = level(pose)
        self.bearings = Bearings(lens, upright_pose, upright)
        self.floor_y, self.ceiling_y = upright.heights(pose[1, 3])
        turn = (upright_pose[:3, :3].T @ pose[:3, :3]).T.astype(np.float32)
        self.rays = (self.viewing @ turn).astype(np.float32)
        self.ahead = np.maximum(self.rays[..., 2], 0.05)
        self.column = self.rays[..., 0] / self.ahead * np.float32(lens.fx) + np.float32(lens.cx)
        columns = lens.width + 2 * MARGIN
        self.index = np.clip(np.floor(self.column).astype(int) + MARGIN, 0, columns - 1)
        self.span = slice(int(self.index.min()), int(self.index.max()) + 1)
        """The columns that the view shows."""

    def columns_of(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Columns [n] nearly all of whose pixels are in `mask` [H, W]."""
        columns = len(self.bearings.rays)
        inside = np.bincount(self.index.reshape(-1), mask.reshape(-1), columns)
        return np.asarray(inside > _NEARLY * np.bincount(self.index.reshape(-1), minlength=columns))

    def profile(self, disparity: Floats, where: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Horizontal disparity of walls by column, of the pixels `where` [H, W]; NaN for none."""
        band = where & wall_band(to_world(self.viewing / disparity[..., None], self.pose), self.floor_y)
        horizontal = disparity / self.ahead
        return profile_of(self.column[band], horizontal[band], self.lens.width + 2 * MARGIN)

    def planes(self, layout: Layout, sight: Sight | None = None, doors: tuple[Door, ...] = ()) -> RoomPlanes:
        """The room as the view shows it."""
        wall = layout.disparity[self.index] * self.ahead
        eye_y, falls = np.float32(self.pose[1, 3]), self.rays[..., 1] > 0
        below, above = np.float32(self.floor_y) - eye_y, np.float32(self.ceiling_y) - eye_y
        flat = self.rays[..., 1] / np.where(falls, below, above)
        surface = np.where(wall >= flat, layout.surface[self.index], np.where(falls, FLOOR, CEILING))
        plane = np.maximum(wall, flat)
        known, hides = layout.known[self.index], np.zeros(wall.shape, bool)
        if sight is not None:
            hides = (layout.known & ~sight.real)[self.index] & (surface >= WALL)
            known = known | (flat / self.ahead * sight.free[self.index] > 1)
        for door in doors:
            lintel = lintel_of(door, layout.disparity, self.bearings)
            # Above a door is its wall; between its lintel and the passage's end a low ceiling.
            over, behind = lintel.near[self.index] * self.ahead, lintel.far[self.index] * self.ahead
            low_y = np.float32(self.floor_y - lintel.height_m)
            low = self.rays[..., 1] / np.minimum(low_y - eye_y, np.float32(-0.05))
            top = (over > 0) & ~falls
            is_front = top & (low > over) & (over >= flat)
            is_low = top & (low <= over) & (low > behind) & (low > wall)
            plane = np.where(is_front, over, np.where(is_low, low, plane))
            surface = np.where(is_front, lintel.surface, np.where(is_low, CEILING, surface))
            known = known | is_front | is_low
        return RoomPlanes(np.clip(plane, 0.05, 10).astype(np.float32), surface.astype(np.uint8), known, hides)
