"""Where the walls are: for each column of a view one distance, straight walls put through what is known of it.

Between 0.95 m and 1.9 m above the floor a room has neither floor nor ceiling nor low objects: what is seen there is
wall. In a camera's image a wall's disparity is linear in the column, so that planes along the walls' axes through
what is known are lines, and the best sequence of them is found by dynamic programming.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter  # type: ignore[import-untyped]

from lingbot_ros.model.scene.bearings import MARGIN, Bearings
from lingbot_ros.model.scene.camera import Floats
from lingbot_ros.model.scene.surfaces import NONE, WALL
from lingbot_ros.model.scene.walls import PLACE, SURFACE, Rows, number_of

_LOW_M, _HIGH_M = 0.95, 1.9
_BIN_M = 0.15
_PEAKS = 7
_SMOOTH = 7
_RAW_COST, _SWITCH_COST, _WORST = 0.15, 1.2, 0.5
_BINS = 4096
_SNAP_M, _SNAP_SHARE = 0.2, 0.08
"""A wall that is guessed this near to a known one of the same direction is that one: metres, or a share of distance."""
_LEAST = 0.04
"""Disparity of the farthest walls that are told apart."""


@dataclass(frozen=True)
class Layout:
    """Per column, the walls' disparity in 1/m of horizontal distance ahead, the surface (a wall's number), and whether
    any wall was known there."""

    disparity: Floats
    surface: NDArray[np.uint8]
    known: NDArray[np.bool_]


def wall_band(points: Floats, floor_y: float) -> NDArray[np.bool_]:
    """Which points are at a height where only walls are."""
    height = np.float32(floor_y) - points[..., 1]
    return np.asarray((height > _LOW_M) & (height < _HIGH_M))


def find_layout(bearings: Bearings, profile: Floats, walls: Rows) -> Layout:
    """Walls through a view's disparities by column [n], NaN for none; `known` are those that are straight.

    One near one of `walls` [n, 5] (see `walls`) that faces the same way is that one.
    """
    raw, trust = _whole(profile), np.where(np.isfinite(profile), 3.0, 0.0)
    lines, surfaces = _candidates(bearings, raw, trust, walls)
    lines, surfaces = np.vstack((lines, raw)), np.append(surfaces, NONE).astype(np.uint8)
    cost = np.minimum(np.abs(np.log(lines / raw)), _WORST) * trust
    cost[-1] = _RAW_COST * np.maximum(trust, 0.3)
    path = _cheapest(cost, lines)
    disparity, surface = lines[path, np.arange(len(raw))], surfaces[path]
    straight = (path < len(lines) - 1) & (disparity > _LEAST)
    surface[~straight] = _facing(bearings, raw)[~straight]
    return Layout(disparity.astype(np.float32), surface, straight)


def profile_of(column: Floats, disparity: Floats, columns: int) -> NDArray[np.float64]:
    """Medians of points' disparities by column, [columns] with the margins; NaN where fewer than 4 points are."""
    index = np.floor(column).astype(np.int64) + MARGIN
    inside = (index >= 0) & (index < columns)
    index, disparity = index[inside], disparity[inside]
    order = np.lexsort((disparity, index))
    count = np.bincount(index, minlength=columns)
    first = np.cumsum(count) - count
    result = np.full(columns, np.nan)
    enough = count >= 4
    result[enough] = disparity[order][(first + count // 2)[enough]]
    return result


def _whole(profile: Floats) -> Floats:
    """Without gaps and lone errors."""
    at, there = np.arange(len(profile)), np.isfinite(profile)
    if not there.any():
        return np.full(len(profile), 0.25, np.float32)
    return np.asarray(median_filter(np.interp(at, at[there], profile[there]), _SMOOTH, mode="nearest"), np.float32)


def _candidates(
    bearings: Bearings, raw: Floats, trust: Floats, walls: Rows
) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Disparities [C, n] of planes along the walls' axes through peaks of the profile, and their surfaces.

    A peak near a known wall that faces the same way is that wall.
    """
    points, eye, rays = bearings.points(raw), bearings.eye, bearings.rays
    found: dict[tuple[int, float], NDArray[np.float64]] = {}
    for axis in (0, 2):
        values = points[:, axis]
        low = values.min()
        bins = np.floor((values - low) / _BIN_M).astype(int) + 1
        if bins.max() > _BINS:
            continue
        weight = np.bincount(bins, np.maximum(trust, 0.05), int(bins.max()) + 2)
        smooth = np.convolve(weight, [0.5, 1, 0.5], "same")
        for peak in np.argsort(-smooth, kind="stable")[:_PEAKS]:
            if smooth[peak] < 2.0:
                break
            near = np.abs(bins - peak) <= 1
            at = float(np.average(values[near], weights=np.maximum(trust[near], 0.05)))
            number = number_of(axis, at > eye[axis])
            reach = max(_SNAP_M, _SNAP_SHARE * abs(at - eye[axis]))
            known = walls[walls[:, SURFACE] == number, PLACE]
            if len(known) and np.abs(known - at).min() < reach:
                at = float(known[np.abs(known - at).argmin()])
            if abs(at - eye[axis]) < 0.15:
                continue
            line = rays[:, axis] / (at - eye[axis])
            found.setdefault((number, at), np.where(line > _LEAST, line, 1e-3))
    lines = np.array(list(found.values()), float).reshape(len(found), len(raw))
    return lines, np.array([number for number, _ in found], np.uint8)


def _cheapest(cost: NDArray[np.float64], lines: NDArray[np.float64]) -> NDArray[np.int64]:
    """Viterbi over the columns: which line each takes. To switch costs more the further apart the lines are there."""
    logarithm = np.log(np.maximum(lines, 1e-3))
    count, columns = cost.shape
    back = np.zeros((columns, count), np.int64)
    total = cost[:, 0]
    for column in range(1, columns):
        jump = np.abs(logarithm[:, None, column] - logarithm[None, :, column])
        step = _SWITCH_COST * (1 + 0.8 * jump)
        step[np.diag_indices(count)] = 0
        options = total[:, None] + step
        back[column] = options.argmin(0)
        total = options[back[column], np.arange(count)] + cost[:, column]
    path = np.empty(columns, np.int64)
    path[-1] = int(total.argmin())
    for column in range(columns - 1, 0, -1):
        path[column - 1] = back[column, path[column]]
    return path


def _facing(bearings: Bearings, raw: Floats) -> NDArray[np.uint8]:
    """The wall that each column of the raw profile most looks like."""
    points = bearings.rays[:, [0, 2]] / raw[:, None]
    along = np.gradient(points, axis=0)
    normal = np.stack((along[:, 1], -along[:, 0]), -1)
    normal *= -np.sign((normal * points).sum(1, keepdims=True))
    scores = np.stack((normal[:, 0], normal[:, 1], -normal[:, 0], -normal[:, 1]))
    return (WALL + scores.argmax(0)).astype(np.uint8)
