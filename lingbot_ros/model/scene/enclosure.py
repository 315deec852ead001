"""The room around the camera as a box: what closes the directions in which nothing is known.

Rooms are boxes along the walls' axes. A side that is known anywhere is where it is known; another is put where the
depth network guesses it. No side stands where the floor is known to be free: there the room is open.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.model.scene.bearings import ALL_AROUND, AZIMUTHS, Bearings
from lingbot_ros.model.scene.camera import Floats
from lingbot_ros.model.scene.floor_plan import Box, FloorPlan, Sight
from lingbot_ros.model.scene.layout import Layout
from lingbot_ros.model.scene.surfaces import WALL

_LEAST_AZIMUTHS = 3
"""Directions in which a wall is known before it is taken for a side of the room, if others are behind it."""
_LEAST_COLUMNS = 6
_SIDES = ((0, -1), (2, -1), (0, 1), (2, 1))
"""Axis and direction of the sides, in the order of their surfaces."""
_OPEN_M = 0.4
_NEAREST_M, _FARTHEST_M, _USUAL_M = 0.8, 8.0, 3.0
"""Where a side is put that nobody saw, from the camera: between the first two; the third if nothing tells."""


@dataclass(frozen=True)
class Enclosure:
    """layout of a view's columns: as the plan knows them, else as the box closes them.

    box: of the room; sides: the numbers of the walls that close columns.
    certain [n]: columns that a known side closes; guessed [n]: those closed by one that is not known. Through the rest
    of the unknown columns the room is open, and what is there belongs to another.
    """

    layout: Layout
    certain: NDArray[np.bool_]
    guessed: NDArray[np.bool_]
    box: Box
    sides: tuple[int, ...]


def enclose(bearings: Bearings, sight: Sight, plan: FloorPlan, guess: Floats | None = None) -> Enclosure:
    """Close a view's unknown columns. guess: disparities [n] of walls by column, NaN for none."""
    eye, rays = bearings.eye, bearings.rays
    length = np.hypot(rays[:, 0], rays[:, 2])
    room = Room.around(plan, eye)
    if guess is not None:
        usable = np.isfinite(guess) & ~sight.known
        if usable.any():
            room = room.guessed(eye, rays[usable], guess[usable])
    reach, side = room.ends(eye, rays)
    is_open = reach < sight.free - _OPEN_M / length
    beyond = np.flatnonzero(is_open & ~sight.known)
    if len(beyond):
        middle = beyond[len(beyond) // 2]
        there = eye + rays[middle] * max(sight.free[middle] - _OPEN_M / length[middle], 0.0)
        ends, sides = Room.around(plan, there).ends(eye, rays[beyond])
        reach[beyond], side[beyond] = np.maximum(ends, sight.free[beyond] + _OPEN_M / length[beyond]), sides
    disparity = np.where(sight.known, sight.disparity, 1 / reach).astype(np.float32)
    surface = np.where(sight.known, sight.surface, WALL + side).astype(np.uint8)
    closed = ~sight.known & ~is_open
    closing = tuple(WALL + int(number) for number in np.unique(side[closed]))
    certain, guessed = closed & room.known[side], closed & ~room.known[side]
    layout = Layout(disparity, surface, sight.known)
    return Enclosure(layout, certain, guessed, room.box, closing)


@dataclass(frozen=True)
class Room:
    """places [4] of its sides, in the order of their surfaces, and which are known [4].

    free_m, wall_m [4]: how far the way straight to a side is free, and how far the next wall is (inf: there is none).
    """

    places: Floats
    known: NDArray[np.bool_]
    free_m: Floats
    wall_m: Floats

    @classmethod
    def around(cls, plan: FloorPlan, eye: Floats) -> "Room":
        """Its sides as the plan has them, else at the usual distance."""
        straight = np.array([[-1.0, 0, 0], [0, 0, -1], [1, 0, 0], [0, 0, 1]])
        rays = np.concatenate((ALL_AROUND, straight))
        around = plan.sight(eye, rays)
        places, known, free_m = np.zeros(4), np.zeros(4, bool), around.free[AZIMUTHS:]
        with np.errstate(divide="ignore"):
            wall_m = 1 / around.disparity[AZIMUTHS:]
        for side, (axis, sign) in enumerate(_SIDES):
            mine = np.flatnonzero(around.known & (around.surface == WALL + side))
            places[side] = eye[axis] + sign * min(max(_USUAL_M, free_m[side] + _OPEN_M), wall_m[side])
            if len(mine):
                place = np.round(eye[axis] + rays[mine, axis] / around.disparity[mine], 2)
                values, count = np.unique(place, return_counts=True)
                enough = values[count >= min(_LEAST_AZIMUTHS, count.max())]
                places[side], known[side] = enough[np.abs(enough - eye[axis]).argmin()], True
        return cls(places, known, free_m, wall_m)

    def guessed(self, eye: Floats, rays: Floats, disparity: Floats) -> "Room":
        """With unknown sides where walls are guessed on rays [n, 3] at disparities [n]."""
        places, steepness = self.places.copy(), rays / np.hypot(rays[:, 0], rays[:, 2])[:, None]
        for side in np.flatnonzero(~self.known):
            axis, sign = _SIDES[side]
            gap = sign * rays[:, axis] / disparity
            facing = sign * steepness[:, axis] > 0.5
            if facing.sum() >= _LEAST_COLUMNS:
                guess = float(np.median(gap[facing]))
            elif (gap > 0).any():
                guess = float(np.percentile(gap[gap > 0], 95))
            else:
                continue
            guess = min(max(guess, _NEAREST_M), _FARTHEST_M)
            places[side] = eye[axis] + sign * min(max(guess, self.free_m[side] + _OPEN_M), self.wall_m[side])
        return replace(self, places=places)

    @property
    def box(self) -> Box:
        """What it takes."""
        x_low, z_low, x_high, z_high = (float(place) for place in self.places)
        return x_low, x_high, z_low, z_high

    def ends(self, eye: Floats, rays: Floats) -> tuple[Floats, NDArray[np.int64]]:
        """Where rays [n, 3] leave the room, in rays, and through which side."""
        reach = np.full((4, len(rays)), np.inf)
        for side, (axis, sign) in enumerate(_SIDES):
            towards = np.maximum(sign * rays[:, axis], 1e-9)
            reach[side] = np.maximum(sign * (self.places[side] - eye[axis]), 1e-3) / towards
        side = reach.argmin(0)
        return reach[side, np.arange(len(rays))], side
