"""Pieces of wall on a floor plan, as rows of numbers; how a view's columns become some, and how they are kept.

A row is surface, place, from, to, real: the wall's number (see `surfaces`; 0: no wall), where it stands across its
axis, the stretch along the other axis, and 1 if a real image showed it. Places are in the walls' axes, in metres.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.model.scene.camera import Floats
from lingbot_ros.model.scene.surfaces import WALL

SURFACE, PLACE, LOW, HIGH, REAL = range(5)
Rows = NDArray[np.float64]
_JOINED_M = 0.25
"""Pieces of a wall with less than this between them are one; walls that end this near to a corner reach it."""
_SAME_M = 0.02


def wall(surface: int, place: float, low: float, high: float) -> Rows:
    """A painted piece."""
    return np.array([surface, place, low, high, 0.0])


def axis_of(surface: NDArray[np.generic]) -> NDArray[np.int64]:
    """Across which axis walls of those numbers stand: 0 or 2."""
    return np.asarray((surface.astype(np.int64) - WALL) % 2 * 2)


def number_of(axis: int, is_beyond: bool) -> int:
    """Of the wall across an axis (0 or 2) that one sees in its positive direction, or in the other."""
    return WALL + axis // 2 + (2 if is_beyond else 0)


def distances(walls: Rows, places: Floats) -> Floats:
    """From places [m, 3] to walls [n, 5], level: [m, n]."""
    is_x = axis_of(walls[:, SURFACE]) == 0
    across = np.where(is_x, places[:, 0, None], places[:, 2, None])
    along = np.where(is_x, places[:, 2, None], places[:, 0, None])
    beside = np.maximum(np.maximum(walls[:, LOW] - along, along - walls[:, HIGH]), 0)
    return np.asarray(np.hypot(walls[:, PLACE] - across, beside))


def walls_of_columns(
    eye: Floats,
    points: NDArray[np.float64],
    edges: NDArray[np.float64],
    surface: NDArray[np.uint8],
    new: NDArray[np.bool_],
    real: bool,
) -> list[Rows]:
    """The straight pieces through neighbouring columns' points [n, 3] that have a `new` one. In corners they meet.

    edges [n + 1, 3]: the rays between the columns, from `eye`.
    """
    axis = axis_of(surface)
    place = points[np.arange(len(points)), axis]
    starts = (surface[1:] != surface[:-1]) | (np.abs(np.diff(place)) > _SAME_M)
    found: list[tuple[Rows, bool]] = []
    for run in np.split(np.arange(len(points)), np.flatnonzero(starts) + 1):
        across, at = int(axis[run[0]]), float(np.median(place[run]))
        ends = []
        for edge, column in ((run[0], run[0]), (run[-1] + 1, run[-1])):
            ray = edges[edge]
            at_column = float(np.linalg.norm(points[column] - eye) / np.linalg.norm(ray))
            reach = (at - eye[across]) / ray[across] if abs(ray[across]) > 1e-9 else np.inf
            reach = reach if 0 < reach < 1.5 * at_column else at_column
            ends.append(float(eye[2 - across] + reach * ray[2 - across]))
        piece = np.array([surface[run[0]], at, min(ends), max(ends), float(real)])
        found.append((piece, bool(new[run].any())))
    for (one, _), (other, _) in pairwise(found):
        if (one[SURFACE] - other[SURFACE]) % 2 == 1:
            for mine, its in ((one, other), (other, one)):
                for end in (LOW, HIGH):
                    if abs(mine[end] - its[PLACE]) < _JOINED_M:
                        mine[end] = its[PLACE]
                mine[[LOW, HIGH]] = sorted(mine[[LOW, HIGH]])
    return [piece for piece, is_new in found if is_new]


def add_wall(walls: Rows, piece: Rows, eye: Floats) -> None:
    """Into the rows `walls`, in place; if none is unused, that goes which is farthest from `eye`."""
    same = (walls[:, SURFACE] == piece[SURFACE]) & (np.abs(walls[:, PLACE] - piece[PLACE]) < _SAME_M)
    same &= (walls[:, LOW] < piece[HIGH] + _JOINED_M) & (walls[:, HIGH] > piece[LOW] - _JOINED_M)
    if same.any():
        first, *others = np.flatnonzero(same)
        walls[first, LOW] = min(piece[LOW], walls[same, LOW].min())
        walls[first, HIGH] = max(piece[HIGH], walls[same, HIGH].max())
        walls[first, REAL] = max(piece[REAL], walls[same, REAL].max())
        walls[others] = 0
        return
    unused = np.flatnonzero(walls[:, SURFACE] == 0)
    walls[unused[0] if len(unused) else _farthest(walls, eye)] = piece


def points_along(piece: Rows, apart_m: float) -> NDArray[np.float64]:
    """Places [n, 3] on a piece, its ends among them."""
    along = np.linspace(piece[LOW], piece[HIGH], 2 + int((piece[HIGH] - piece[LOW]) / apart_m))
    across, height = np.full(len(along), piece[PLACE]), np.zeros(len(along))
    return np.stack((across, height, along) if axis_of(piece[SURFACE]) == 0 else (along, height, across), -1)


def parts(piece: Rows, points: NDArray[np.float64], stays: NDArray[np.bool_]) -> list[Rows]:
    """What is left of a piece of whose `points` [n, 3] only some stay; what is no longer than two of them goes, too."""
    if stays.all():
        return [piece]
    along, left = points[:, 2 - axis_of(piece[SURFACE])], []
    for run in runs(stays):
        if len(run) > 2:
            left.append(np.array([*piece[:LOW], along[run[0]], along[run[-1]], piece[REAL]]))
    return left


def runs(mask: NDArray[np.bool_]) -> list[NDArray[np.int64]]:
    """Indices of the True in a row."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], mask.astype(np.int8), [0]))))
    return [np.arange(first, last) for first, last in zip(edges[::2], edges[1::2], strict=True)]


def _farthest(walls: Rows, eye: Floats) -> int:
    """Of the painted ones, or of all if there are none."""
    distance = distances(walls, np.asarray(eye)[None])[0]
    if (walls[:, REAL] == 0).any():
        distance[walls[:, REAL] > 0] = -1
    return int(distance.argmax())
