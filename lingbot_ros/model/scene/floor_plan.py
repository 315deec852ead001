"""What is known of the rooms: pieces of walls, and where the floor is free, seen or painted. It is drawn, never copied.

A painted wall keeps its place. So it looks the same from everywhere, for as long as one drives. Places are in the
walls' axes, in metres.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lingbot_ros.model.scene.bearings import Bearings
from lingbot_ros.model.scene.camera import Floats
from lingbot_ros.model.scene.layout import Layout
from lingbot_ros.model.scene.surfaces import NONE, WALL
from lingbot_ros.model.scene.walls import (
    HIGH,
    LOW,
    PLACE,
    REAL,
    SURFACE,
    Rows,
    add_wall,
    axis_of,
    distances,
    parts,
    points_along,
    walls_of_columns,
)

LIMIT = 256
"""Pieces of wall that a plan keeps."""
CELL_M, SIDE = 0.125, 1024
"""The free floor is kept in so many cells per side: up to 64 m from where the first image was taken."""
_SEEN = 2
_MIDST = 7
"""Cells of free floor, across, in whose middle no painted wall is put. Of floor that was really seen 3 are enough."""
_SURE = 0.95
"""The part of the way to what a real view shows on which no painted wall can be."""
_NEAREST_M, _REACH_M = 0.05, 30.0
_STEP_M, _AT_WALL_M, _AT_EYE_M, _UNSEEN_M = 0.125, 0.3, 0.4, 0.4
"""A wall is known on a ray of which no more than the last leads, but for its ends, through what may not be free."""
_MARKS_M, _SPOTS_M = 0.2, 0.1
_LONGEST_M = 1e4
"""A state with a longer wall is damaged: points along it would fill the memory."""

Box: TypeAlias = tuple[float, float, float, float]
"""x from and to, z from and to."""


@dataclass(frozen=True)
class Sight:
    """What a plan tells of the columns of a view.

    disparity [n] of the nearest wall, 0 for none; surface uint8 [n], its number; real [n]: whether it was really seen;
    known [n]: all before it is known to be free; free [n]: how many rays long the free way from the eye is.
    """

    disparity: Floats
    surface: NDArray[np.uint8]
    real: NDArray[np.bool_]
    known: NDArray[np.bool_]
    free: Floats


@dataclass(frozen=True)
class FloorPlan:
    """walls [LIMIT, 5], see `walls`; free uint8 [SIDE, SIDE] by z and x: above 0 where nothing stands,
    and _SEEN where a real view showed it.

    Nothing changes a plan: what is added makes another.
    """

    walls: Rows
    free: NDArray[np.uint8]

    @classmethod
    def empty(cls) -> "FloorPlan":
        """Nothing is known."""
        return cls(np.zeros((LIMIT, 5)), np.zeros((SIDE, SIDE), np.uint8))

    @property
    def pieces(self) -> Rows:
        """The walls that there are."""
        return self.walls[self.walls[:, SURFACE] > 0]

    def sight(self, eye: Floats, rays: Floats) -> Sight:
        """Along level rays [n, 3] from `eye` [3]. A wall is one from either side."""
        pieces, count = self.pieces, len(rays)
        nearest, which = np.full(count, np.inf), np.zeros(count, np.int64)
        for axis in (0, 2):
            mine = np.flatnonzero(axis_of(pieces[:, SURFACE]) == axis)
            if not len(mine):
                continue
            _, place, low, high, _ = pieces[mine].T[:, :, None]
            with np.errstate(divide="ignore", invalid="ignore"):
                reach = (place - eye[axis]) / rays[None, :, axis]
                along = eye[2 - axis] + reach * rays[None, :, 2 - axis]
            slack = 0.01 + 0.004 * np.abs(reach)
            hit = (reach > _NEAREST_M) & (along >= low - slack) & (along <= high + slack)
            reach = np.where(hit, reach, np.inf)
            first = reach.argmin(0)
            best = reach[first, np.arange(count)]
            closer = best < nearest
            nearest[closer], which[closer] = best[closer], mine[first][closer]
        is_hit = np.isfinite(nearest)
        free, unseen = self._along(eye, rays, nearest)
        surface, real = np.full(count, NONE, np.uint8), np.zeros(count, bool)
        if is_hit.any():
            found = pieces[which[is_hit]]
            across = axis_of(found[:, SURFACE])
            is_beyond = found[:, PLACE] > np.asarray(eye)[across]
            surface[is_hit], real[is_hit] = WALL + across // 2 + 2 * is_beyond, found[:, REAL] > 0
        disparity = np.where(is_hit, 1 / nearest, 0).astype(np.float32)
        return Sight(disparity, surface, real, is_hit & (unseen <= _UNSEEN_M), free)

    def stops(self, start: Floats, goal: Floats, radius_m: float) -> bool:
        """Whether a robot that moves straight from `start` to `goal` [3] comes nearer to a wall than it may, or was."""
        pieces = self.pieces
        way = np.stack((start, goal)).astype(float)
        if not len(pieces) or np.allclose(way[0], way[1], atol=1e-9):
            return False
        before, after = distances(pieces, way)
        distance = np.minimum(before, after)
        for end in (LOW, HIGH):  # of the wall, from the way
            corner = _corners(pieces, end)
            step = (way[1] - way[0])[[0, 2]]
            share = np.clip((corner - way[0, [0, 2]]) @ step / (step @ step), 0, 1)
            distance = np.minimum(distance, np.linalg.norm(corner - way[0, [0, 2]] - share[:, None] * step, axis=1))
        axis = axis_of(pieces[:, SURFACE])
        gaps = way[:, axis] - pieces[:, PLACE]
        with np.errstate(divide="ignore", invalid="ignore"):
            share = gaps[0] / (gaps[0] - gaps[1])
        crossing = way[0, 2 - axis] + share * (way[1, 2 - axis] - way[0, 2 - axis])
        crosses = (gaps[0] * gaps[1] < 0) & (crossing >= pieces[:, LOW]) & (crossing <= pieces[:, HIGH])
        distance[crosses] = 0
        return bool(((distance < radius_m) & (distance < before - 1e-6)).any())

    def with_view(self, bearings: Bearings, layout: Layout, new: NDArray[np.bool_], span: slice) -> "FloorPlan":
        """With painted walls where columns of a view are `new` [n], and free floor before those and what is known.

        span: which columns the view shows. In the midst of free floor there are no walls.
        """
        outline = _outline(bearings, layout, new | layout.known, span)
        middle = _inside(self.free, _MIDST) | _inside(self.free == _SEEN, 3)
        pieces = _pieces(bearings, layout, new, span, real=False)
        plan = self.with_walls([part for piece in pieces for part in _without(piece, middle)], bearings.eye)
        return replace(plan, free=np.maximum(self.free, _filled(np.zeros_like(self.free), outline, 1)))

    def with_real_view(self, bearings: Bearings, layout: Layout, span: slice) -> "FloorPlan":
        """With the walls that a real view shows where they are `known`, and the free floor before all its columns.

        Painted walls go where it sees through them.
        """
        outline = _outline(bearings, layout, np.ones(len(layout.known), bool), span)
        short = outline[0] + _SURE * (outline - outline[0])
        seen = _filled(np.zeros_like(self.free), short, 1)
        walls = np.zeros_like(self.walls)
        left = [part for piece in self.pieces for part in ([piece] if piece[REAL] else _without(piece, seen))]
        walls[: len(left[:LIMIT])] = np.array(left[:LIMIT]).reshape(-1, 5)
        plan = replace(self, walls=walls).with_walls(_pieces(bearings, layout, layout.known, span, True), bearings.eye)
        return replace(plan, free=_filled(self.free, outline, _SEEN))

    def with_walls(self, pieces: Sequence[Rows], eye: Floats) -> "FloorPlan":
        """With more walls [5] each; when it is full those go that are farthest from `eye` [3]."""
        walls = self.walls.copy()
        for piece in pieces:
            add_wall(walls, piece, eye)
        return replace(self, walls=walls)

    def with_free(self, box: Box) -> "FloorPlan":
        """With the floor in a box free."""
        free = self.free.copy()
        free[_cells(box)] = np.maximum(free[_cells(box)], 1)
        return replace(self, free=free)

    def is_unknown(self, box: Box) -> bool:
        """Whether nothing is known of what is in a box: no wall, no free floor."""
        x_low, x_high, z_low, z_high = box
        points = np.concatenate([np.zeros((0, 3)), *(points_along(piece, _MARKS_M) for piece in self.pieces)])
        inside = (points[:, 0] > x_low) & (points[:, 0] < x_high) & (points[:, 2] > z_low) & (points[:, 2] < z_high)
        return not inside.any() and not self.free[_cells(box)].any()

    def state(self) -> dict[str, Tensor]:
        """All of it by name."""
        return {"walls": torch.from_numpy(self.walls), "free": torch.from_numpy(self.free)}

    @classmethod
    def of_state(cls, state: dict[str, Tensor]) -> "FloorPlan":
        """The reverse of `state`; copies. Raises ValueError or KeyError for what is no state of a plan."""
        plan = cls(state["walls"].numpy().copy(), state["free"].numpy().copy())
        for name, tensor in cls.empty().state().items():
            found = state[name]
            if found.shape != tensor.shape or found.dtype != tensor.dtype:
                raise ValueError(
                    f"{name} is {found.dtype} {list(found.shape)}, not {tensor.dtype} {list(tensor.shape)}"
                )
        if not np.isin(plan.walls[:, SURFACE], (0, *range(WALL, WALL + 4))).all():
            raise ValueError("a wall faces no way")
        length = plan.walls[:, HIGH] - plan.walls[:, LOW]
        if length.min() < 0 or length.max() > _LONGEST_M:
            raise ValueError(f"a wall is {length.min():g} to {length.max():g} m long")
        return plan

    def _along(self, eye: Floats, rays: Floats, reach: Floats) -> tuple[Floats, Floats]:
        """How far rays [n, 3] lead through free cells, in rays, and how many metres before `reach` are not free."""
        length = np.hypot(rays[:, 0], rays[:, 2])
        steps = np.arange(_AT_EYE_M, _REACH_M, _STEP_M, dtype=np.float32)
        x, z = (
            (rays[:, axis] / length / CELL_M).astype(np.float32)[:, None] * steps
            + np.float32(eye[axis] / CELL_M + SIDE / 2 - 0.5)
            for axis in (0, 2)
        )
        is_free = cv2.remap(self.free, x, z, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
        taken = is_free == 0
        first = np.where(taken.any(1), taken.argmax(1), len(steps))
        before = steps < (reach * length)[:, None] - _AT_WALL_M
        unseen = (taken & before).sum(1) * _STEP_M
        return np.where(first > 0, _AT_EYE_M + first * _STEP_M, 0.0) / length, unseen


def _outline(bearings: Bearings, layout: Layout, decided: NDArray[np.bool_], span: slice) -> NDArray[np.float64]:
    """x and z of the eye and of the ends of a view's columns, [n, 2]; the eye's for columns not `decided`."""
    ends = np.where(decided[:, None], bearings.points(layout.disparity), bearings.eye)
    return np.concatenate((bearings.eye[None], ends[span]))[:, [0, 2]]


def _pieces(bearings: Bearings, layout: Layout, new: NDArray[np.bool_], span: slice, real: bool) -> list[Rows]:
    points, edges = bearings.points(layout.disparity)[span], bearings.edges()[span.start : span.stop + 1]
    return walls_of_columns(bearings.eye, points, edges, layout.surface[span], new[span], real)


def _without(piece: Rows, cells: NDArray[np.uint8]) -> list[Rows]:
    """The parts of a wall that are outside of cells."""
    points = points_along(piece, _SPOTS_M)
    column, row = (np.floor(points[:, axis] / CELL_M + SIDE / 2).astype(np.int64) for axis in (0, 2))
    inside = (column >= 0) & (row >= 0) & (column < SIDE) & (row < SIDE)
    is_in = (cells[np.where(inside, row, 0), np.where(inside, column, 0)] > 0) & inside
    return parts(piece, points, ~is_in)


def _inside(cells: NDArray[Any], size: int) -> NDArray[np.uint8]:
    """Cells whose whole neighbourhood of size x size is set."""
    return np.asarray(cv2.erode((cells > 0).astype(np.uint8), np.ones((size, size), np.uint8)), np.uint8)


def _filled(free: NDArray[np.uint8], outline: NDArray[np.float64], value: int) -> NDArray[np.uint8]:
    result = free.copy()
    cells = np.clip(np.rint((outline / CELL_M + SIDE / 2 - 0.5) * 256), -(2**24), 2**24).astype(np.int32)
    cv2.fillPoly(result, [cells], value, shift=8)
    return result


def _cells(box: Box) -> tuple[slice, slice]:
    x_low, x_high, z_low, z_high = (int(np.clip(round(v / CELL_M + SIDE / 2), 0, SIDE)) for v in box)
    return slice(z_low, z_high), slice(x_low, x_high)


def _corners(pieces: Rows, end: int) -> NDArray[np.float64]:
    """x and z of one end of each wall: [n, 2]."""
    is_x = axis_of(pieces[:, SURFACE])[:, None] == 0
    return np.where(is_x, pieces[:, [PLACE, end]], pieces[:, [end, PLACE]])
