"""Doors that nobody has seen: a room out of which no way is known gets one, so that one can walk on.

A door is decided once, for a wall that is about to be painted, and is remembered: every view that is painted afterwards
sees the same opening, the same passage behind it, and the same room at its end. Places are in the walls' axes.
"""

from collections.abc import Callable
from dataclasses import astuple, dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.model.scene.camera import Floats, Pinhole, Pose
from lingbot_ros.model.scene.keyframes import UNKNOWN, Keyframes
from lingbot_ros.model.scene.layout import MARGIN, Layout, wall_band
from lingbot_ros.model.scene.surfaces import NONE, WALL, Upright

LIMIT = 32
"""Doors that a scene remembers."""
AZIMUTHS = 128
"""A keyframe of 60 degrees keeps 32 points in a row: about two degrees lie between them."""
PASSAGE_M = 2.0
_WIDTHS_M, _HEIGHTS_M, _ROOMS_M = (1.5, 2.0, 2.5), (2.0, 2.2, 2.4), (4.0, 6.0, 8.0)
_CHANCE = 0.7
"""That a wall long enough gets a door where no way out is known."""
_LOOKED = 1 / 3
"""Before so much of the directions around is known, a door may still come into view by itself."""
_POST_M = 0.3
"""Of wall beside a door, at least."""
_BESIDE_M = 1.5
"""So far to either side of a door its wall goes on where nothing else is known."""
_NEAREST_M, _FARTHEST_M = 1.0, 7.0
_BIN_M, _LEAST_AZIMUTHS, _BEYOND_M, _WAY_OUT_M = 0.2, 3, 0.6, 0.8


@dataclass(frozen=True)
class Door:
    """An opening in the wall at `wall` metres along axis `across` (0 or 2), from `low` to `high` along the other.

    outwards: +1 or -1, the way it leads; height_m: of its lintel above the floor. Behind a passage is a room whose far
    wall is `room_m` from the passage's end and whose side walls are at `room_low` and `room_high`.
    """

    across: int
    wall: float
    outwards: int
    low: float
    high: float
    height_m: float
    room_m: float
    room_low: float
    room_high: float

    @property
    def row(self) -> tuple[float, ...]:
        """As numbers."""
        return tuple(float(value) for value in astuple(self))

    @classmethod
    def of_row(cls, row: NDArray[np.float64]) -> "Door":
        """The reverse of `row`."""
        across, wall, outwards, *others = (float(value) for value in row)
        return cls(int(across), wall, int(outwards), *others)


class Bearings:
    """The columns of a layout as rays in the walls' axes, from `eye`; a ray goes 1 m along the optical axis."""

    def __init__(self, lens: Pinhole, pose: Pose, upright: Upright) -> None:
        right, ahead, eye = (upright.along(pose[:3, i].astype(np.float32)).astype(float) for i in (0, 2, 3))
        across = (np.arange(lens.width + 2 * MARGIN) + 0.5 - MARGIN - lens.cx) / lens.fx
        self.rays, self.eye = ahead[None, :] + across[:, None] * right[None, :], eye


DoorChooser: TypeAlias = Callable[[Layout, Bearings], tuple[Door, ...]]
"""Which doors a view that is painted has in its unseen walls, by its layout and the directions of its columns."""


@dataclass(frozen=True)
class Lintels:
    """Per column of a layout: the disparity of the wall over a door and of the passage's end (0: no door is there), the
    height of the lintel above the floor in metres, and the wall's number."""

    front: Floats
    back: Floats
    height_m: Floats
    surface: NDArray[np.uint8]


def remembered_walls(memory: Keyframes, pose: Pose, upright: Upright) -> Floats:
    """Points of walls that are remembered, real or painted, in the walls' axes: float32 [n, 3]."""
    points, origin = memory.points[: memory.count], memory.points_origin[: memory.count]
    floor_y, _ = upright.heights(pose[1, 3])
    return upright.along(points[wall_band(points, floor_y) & (origin != UNKNOWN)])


def surroundings(walls: Floats, eye: Floats) -> Floats:
    """How far the nearest of the points `walls` is in each direction: float32 [AZIMUTHS] in metres, NaN for none.

    Direction 0 is the walls' x axis, a quarter on is z; `eye` [3] is in their axes, too.
    """
    towards = walls - eye.astype(np.float32)
    distance, azimuth = np.hypot(towards[:, 0], towards[:, 2]), azimuth_of(towards)
    order = np.lexsort((distance, azimuth))
    count = np.bincount(azimuth, minlength=AZIMUTHS)
    second = np.cumsum(count) - count + 1  # the nearest one may be an error of depth
    result = np.full(AZIMUTHS, np.nan, np.float32)
    result[count > 1] = distance[order][second[count > 1]]
    return result


def azimuth_of(vectors: Floats) -> NDArray[np.int64]:
    """The number of the direction of vectors [..., 3] in the walls' axes."""
    turn = np.arctan2(vectors[..., 2], vectors[..., 0]) / (2 * np.pi)
    return np.asarray(np.floor((turn % 1) * AZIMUTHS).astype(np.int64) % AZIMUTHS)


def has_way_out(distance: Floats) -> bool:
    """Whether something is known beyond one of the four walls around: `distance` as `surroundings` gives it."""
    known = np.flatnonzero(np.isfinite(distance))
    turn = (known + 0.5) * (2 * np.pi / AZIMUTHS)
    places = distance[known, None] * np.stack((np.cos(turn), np.sin(turn)), -1)
    step = np.abs(np.roll(places, -1, 0) - places)
    for axis in (0, 1):
        stands_across = step[:, axis] < 0.3 * step[:, 1 - axis]
        for sign in (1, -1):
            ahead, beside = sign * places[:, axis], places[:, 1 - axis]
            bins = np.bincount(np.floor(ahead[stands_across & (ahead > 0.1)] / _BIN_M).astype(int))
            if not len(bins) or bins.max() < _LEAST_AZIMUTHS:
                continue
            wall = (int(bins.argmax()) + 0.5) * _BIN_M
            beyond = ahead > wall + _BEYOND_M
            crossed = np.where(beyond, beside * wall / np.maximum(ahead, 1e-6), np.nan)
            for run in _runs(beyond):
                if len(run) > 1 and np.ptp(crossed[run]) > _WAY_OUT_M:
                    return True
    return False


def _runs(mask: NDArray[np.bool_]) -> list[NDArray[np.int64]]:
    """Indices of the True in a row."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], mask.astype(np.int8), [0]))))
    return [np.arange(first, last) for first, last in zip(edges[::2], edges[1::2], strict=True)]


def new_door(
    layout: Layout, bearings: Bearings, walls: Floats, doors: tuple[Door, ...], rng: np.random.Generator
) -> Door | None:
    """A door in the longest unseen piece of wall of a view, if no way out is known; by chance.

    walls: what is remembered of them, see `remembered_walls`; doors: those that were painted before.
    """
    distance = surroundings(walls, bearings.eye)
    if np.isfinite(distance).mean() < _LOOKED or has_way_out(distance):
        return None
    if any(_leads_out(door, bearings.eye) for door in doors):
        return None
    unseen = ~layout.known & np.isnan(distance[azimuth_of(bearings.rays)]) & (layout.surface != NONE)
    points = bearings.eye + bearings.rays / layout.disparity[:, None]
    pieces = []
    for number in range(WALL, WALL + 4):
        across = 0 if (number - WALL) % 2 == 0 else 2
        for run in _runs(unseen & (layout.surface == number)):
            if np.ptp(points[run, across]) < 0.1:
                pieces.append((float(np.ptp(points[run, 2 - across])), across, 1 if number - WALL >= 2 else -1, run))
    if not pieces or rng.random() > _CHANCE:
        return None
    length, across, outwards, run = max(pieces, key=lambda piece: piece[0])
    wall = float(np.median(points[run, across]))
    fitting = [width for width in _WIDTHS_M if width + 2 * _POST_M <= length]
    if not fitting or not _NEAREST_M < abs(wall - bearings.eye[across]) < _FARTHEST_M:
        return None
    width = float(rng.choice(fitting))
    start = float(points[run, 2 - across].min())
    low = float(rng.uniform(start + _POST_M, start + length - _POST_M - width))
    room = float(rng.choice(_ROOMS_M))
    room_low = low - float(rng.uniform(_POST_M, room - width - _POST_M))
    height, depth = float(rng.choice(_HEIGHTS_M)), float(rng.choice(_ROOMS_M))
    door = Door(across, wall, outwards, low, low + width, height, depth, room_low, room_low + room)
    return None if _is_taken(door, walls) else door


def _leads_out(door: Door, eye: Floats) -> bool:
    """Whether one who stands at `eye` can leave by a door: it is ahead of him and near."""
    gap = (door.wall - float(eye[door.across])) * door.outwards
    beside = (door.low + door.high) / 2 - float(eye[2 - door.across])
    return 0 < gap < max(_ROOMS_M) and abs(beside) < max(_ROOMS_M)


def _is_taken(door: Door, walls: Floats) -> bool:
    """Whether walls are known where the passage is to be."""
    ahead = (walls[:, door.across] - door.wall) * door.outwards
    beside = walls[:, 2 - door.across]
    inside = (ahead > 0.2) & (ahead < PASSAGE_M + 0.5) & (beside > door.low - 0.2) & (beside < door.high + 0.2)
    return bool(inside.sum() > 3)


def opened(layout: Layout, bearings: Bearings, doors: tuple[Door, ...]) -> tuple[Layout, Lintels]:
    """The layout with doors where it is not known, and what is above them."""
    count = len(layout.disparity)
    front, back, height_m = np.zeros((3, count), np.float32)
    lintels = Lintels(front, back, height_m, np.zeros(count, np.uint8))
    for door in doors:
        layout = _opened(layout, bearings, door, lintels)
    return layout, lintels


def _opened(layout: Layout, bearings: Bearings, door: Door, lintels: Lintels) -> Layout:
    eye, beside_eye = bearings.eye[door.across], bearings.eye[2 - door.across]
    gap = (door.wall - eye) * door.outwards
    if gap < 0.1:
        return layout
    towards = np.maximum(bearings.rays[:, door.across] * door.outwards, 1e-6)
    sideways = bearings.rays[:, 2 - door.across]
    front = gap / towards
    crossed = beside_eye + front * sideways
    in_view = (towards > 1e-3) & (layout.disparity < 1.03 / front)  # nothing stands before the wall
    through = in_view & (crossed > door.low) & (crossed < door.high)
    beside = in_view & ~through & (crossed > door.low - _BESIDE_M) & (crossed < door.high + _BESIDE_M)
    number = WALL + door.across // 2 + (2 if door.outwards > 0 else 0)
    depth, surface = (gap + PASSAGE_M + door.room_m) / towards, np.full(len(front), number, np.uint8)
    back = (gap + PASSAGE_M) / towards
    for low, high, begins, ends in (
        (door.room_low, door.room_high, back, np.inf),
        (door.low, door.high, front, back),
    ):
        for side, sign in ((low, -1), (high, 1)):
            at = (side - beside_eye) / np.where(sideways * sign > 1e-6, sideways, sign * 1e-6)
            hit = (at >= begins) & (at <= ends) & (at < depth)
            depth = np.where(hit, at, depth)
            surface[hit] = WALL + (1 - door.across // 2) + (2 if sign > 0 else 0)
    disparity, surfaces = layout.disparity.copy(), layout.surface.copy()
    free = ~layout.known
    disparity[through & free], surfaces[through & free] = (1 / depth)[through & free], surface[through & free]
    disparity[beside & free], surfaces[beside & free] = (1 / front)[beside & free], number
    lintels.front[through], lintels.back[through] = (1 / front)[through], (1 / back)[through]
    lintels.height_m[through], lintels.surface[through] = door.height_m, number
    return replace(layout, disparity=disparity, surface=surfaces)
