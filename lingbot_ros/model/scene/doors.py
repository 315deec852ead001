"""Doors that nobody has seen: a room out of which no way is known gets one, so that one can walk on.

A door is decided once, for a wall that is about to be painted, and is remembered. Places are in the walls' axes.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.model.scene.bearings import ALL_AROUND, AZIMUTHS, Bearings
from lingbot_ros.model.scene.camera import Floats
from lingbot_ros.model.scene.floor_plan import Box, FloorPlan
from lingbot_ros.model.scene.surfaces import WALL
from lingbot_ros.model.scene.walls import number_of, runs

LIMIT = 64
"""Doors that a scene remembers."""
PASSAGE_M = 2.0
_WIDTHS_M, _HEIGHTS_M = (1.5, 2.0, 2.5), (2.0, 2.2, 2.4)
_CHANCE, _LOOKED = 0.4, 0.6
"""That a wall long enough gets a door where no way out is known, before so much of the directions around is known."""
_POST_M = 0.3
"""Of wall beside a door, at least."""
_LEADS_M = 8.0
"""A door this near is a way out."""
_NEAREST_M, _FARTHEST_M = 1.0, 7.0
_BIN_M, _LEAST_AZIMUTHS, _BEYOND_M, _WAY_OUT_M = 0.2, 3, 0.6, 0.8


@dataclass(frozen=True)
class Door:
    """An opening in the wall at `wall` metres along axis `across` (0 or 2), from `low` to `high` along the other.

    outwards: +1 or -1, the way it leads; height_m: of its lintel above the floor; built: whether the plan has what is
    behind it, see `new_rooms`.
    """

    across: int
    wall: float
    outwards: int
    low: float
    high: float
    height_m: float
    built: bool = False

    def box(self, near: float, far: float, low: float, high: float) -> Box:
        """From `near` to `far` across the wall, from `low` to `high` along it."""
        first, last = sorted((near, far))
        return (first, last, low, high) if self.across == 0 else (low, high, first, last)

    @property
    def row(self) -> tuple[float, ...]:
        """As numbers."""
        return tuple(float(value) for value in astuple(self))

    @classmethod
    def of_row(cls, row: NDArray[np.float64]) -> "Door":
        """The reverse of `row`."""
        across, wall, outwards, low, high, height_m, built = (float(value) for value in row)
        return cls(int(across), wall, int(outwards), low, high, height_m, bool(built))


def surroundings(plan: FloorPlan, eye: Floats) -> Floats:
    """How far the wall is in each direction from `eye` [3], where it is known: [AZIMUTHS] in metres, else NaN.

    The directions are those of `ALL_AROUND`; `eye` is in the walls' axes, too.
    """
    sight = plan.sight(eye, ALL_AROUND)
    return np.where(sight.known, 1 / np.maximum(sight.disparity, 1e-6), np.nan)


def azimuth_of(vectors: Floats) -> NDArray[np.int64]:
    """The number of the direction of vectors [..., 3] in the walls' axes."""
    turn = np.arctan2(vectors[..., 2], vectors[..., 0]) / (2 * np.pi)
    return np.asarray(np.floor((turn % 1) * AZIMUTHS).astype(np.int64) % AZIMUTHS)


def has_way_out(distance: Floats) -> bool:
    """Whether something is known beyond one of the four walls around: `distance` as `surroundings` gives it."""
    known = np.flatnonzero(np.isfinite(distance))
    places = distance[known, None] * ALL_AROUND[known][:, [0, 2]]
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
            for run in runs(beyond):
                if len(run) > 1 and np.ptp(crossed[run]) > _WAY_OUT_M:
                    return True
    return False


def new_door(
    plan: FloorPlan, eye: Floats, box: Box, sides: Sequence[int], doors: tuple[Door, ...], rng: np.random.Generator
) -> Door | None:
    """A door in the longest piece of wall around `eye` [3] that nobody saw, if no way out is known; by chance.

    box: the room; sides: the numbers of those of its walls that may have it; doors: those that were painted before.
    """
    distance = surroundings(plan, eye)
    if has_way_out(distance) or any(_leads_out(door, eye) for door in doors):
        return None
    if np.isfinite(distance).mean() < _LOOKED and rng.random() > _CHANCE:
        return None
    pieces = []
    for surface in sides:
        across, outwards = 2 * ((surface - WALL) % 2), 1 if surface >= WALL + 2 else -1
        place = box[across + (outwards > 0)]
        low, high = box[2 - across], box[3 - across]
        along = np.arange(low, high, _POST_M / 2)
        if not _NEAREST_M < abs(place - eye[across]) < _FARTHEST_M:
            continue
        towards = np.zeros((len(along), 3))
        towards[:, across], towards[:, 2 - across] = place - eye[across], along - eye[2 - across]
        unseen = np.isnan(distance[azimuth_of(towards)])
        pieces += [(len(run), across, place, outwards, along[run[0]], along[run[-1]]) for run in runs(unseen)]
    if not pieces:
        return None
    _, across, place, outwards, low, high = max(pieces)
    return draw_door(plan, across, place, outwards, low, high, rng)


def draw_door(
    plan: FloorPlan, across: int, place: float, outwards: int, low: float, high: float, rng: np.random.Generator
) -> Door | None:
    """A door by chance in the wall at `place` from `low` to `high`; None if it is too short, or something is behind."""
    fitting = [width for width in _WIDTHS_M if width + 2 * _POST_M <= high - low]
    if not fitting:
        return None
    width = float(rng.choice(fitting))
    start = float(rng.uniform(low + _POST_M, high - _POST_M - width))
    door = Door(across, place, outwards, start, start + width, float(rng.choice(_HEIGHTS_M)))
    return door if is_possible(door, plan) else None


def is_possible(door: Door, plan: FloorPlan) -> bool:
    """Whether nothing is known of where its passage is to be."""
    begin, end = (door.wall + door.outwards * m for m in (0.3, PASSAGE_M + 0.2))
    return plan.is_unknown(door.box(begin, end, door.low - 0.2, door.high + 0.2))


def _leads_out(door: Door, eye: Floats) -> bool:
    """Whether one who stands at `eye` can leave by a door: it is ahead of him and near."""
    gap = (door.wall - float(eye[door.across])) * door.outwards
    beside = (door.low + door.high) / 2 - float(eye[2 - door.across])
    return 0 < gap < _LEADS_M and abs(beside) < _LEADS_M


@dataclass(frozen=True)
class Lintel:
    """Over a door, per column [n]: disparities of its nearer and its farther side, 0 where no ray goes through.

    height_m above the floor; surface: the number of the wall above it.
    """

    near: Floats
    far: Floats
    height_m: float
    surface: int


def lintel_of(door: Door, disparity: Floats, bearings: Bearings) -> Lintel:
    """What a view shows above a door that it sees through, from either side or in its passage.

    disparity [n]: of the nearest walls.
    """
    eye, beside_eye = bearings.eye[door.across], bearings.eye[2 - door.across]
    ray, sideways = bearings.rays[:, door.across], bearings.rays[:, 2 - door.across]
    ray = np.where(np.abs(ray) < 1e-6, 1e-6, ray)
    sides = np.sort([(door.wall - eye) / ray, (door.wall + door.outwards * PASSAGE_M - eye) / ray], axis=0)
    near, far = np.maximum(sides[0], 1e-3), np.maximum(sides[1], 1e-3)
    crossed = beside_eye + near * sideways
    through = (sides[1] > 0.05) & (crossed > door.low) & (crossed < door.high) & (disparity * near < 0.97)
    is_ahead = (door.wall + door.outwards * PASSAGE_M / 2 - eye) > 0
    surface = number_of(door.across, is_ahead)
    return Lintel(np.where(through, 1 / near, 0), np.where(through, 1 / far, 0), door.height_m, surface)
