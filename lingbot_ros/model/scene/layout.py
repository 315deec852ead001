"""Where the walls are: for each column of a view one distance, straight walls put through what is known of it.

Between 0.95 m and 1.9 m above the floor a room has neither floor nor ceiling nor low objects: what is seen there is
wall. In a camera's image a wall's disparity is linear in the column, so that planes along the walls' axes through
what is known are lines, and the best sequence of them is found by dynamic programming.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter  # type: ignore[import-untyped]

from lingbot_ros.model.scene.camera import Floats, Pinhole, Pose
from lingbot_ros.model.scene.surfaces import NONE, WALL, Upright

MARGIN = 32
"""Columns beyond either edge: a camera that is pitched sees them in its corners."""
_LOW_M, _HIGH_M = 0.95, 1.9
_BIN_M = 0.15
_PEAKS = 7
_SMOOTH = 7
_RAW_COST, _SWITCH_COST, _WORST = 0.15, 1.2, 0.5


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


def find_layout(
    lens: Pinhole,
    pose: Pose,
    upright: Upright,
    known: tuple[Floats, Floats],
    guessed: tuple[Floats, Floats],
) -> Layout:
    """`pose` is level. known, guessed: columns [n] in pixels and disparities [n] of points in the band of walls."""
    columns = lens.width + 2 * MARGIN
    profile = _profile(*known, columns)
    is_known = np.isfinite(profile)
    guess = _profile(*guessed, columns)
    profile = np.where(is_known, profile, guess)
    if not np.isfinite(profile).any():
        return Layout(np.full(columns, 0.25, np.float32), np.full(columns, WALL, np.uint8), is_known)
    at = np.arange(columns)
    there = np.isfinite(profile)
    raw = median_filter(np.interp(at, at[there], profile[there]), _SMOOTH, mode="nearest").astype(np.float32)
    trust = np.where(is_known, 3.0, np.where(there, 1.0, 0.0))
    direction = (at + 0.5 - MARGIN - lens.cx) / lens.fx
    lines, surfaces = _candidates(raw, trust, direction, pose, upright)
    cost = np.minimum(np.abs(np.log(lines / raw)), _WORST) * trust
    cost[-1] = _RAW_COST * np.maximum(trust, 0.3)
    path = _cheapest(cost, lines)
    surface = surfaces[path]
    raw_ones = path == len(lines) - 1
    surface[raw_ones] = _facing(raw, direction, pose, upright)[raw_ones]
    return Layout(lines[path, at].astype(np.float32), surface, is_known)


def _profile(column: Floats, disparity: Floats, columns: int) -> NDArray[np.float64]:
    """Medians per column; NaN where fewer than 4 points are."""
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


def _candidates(
    raw: Floats, trust: Floats, direction: Floats, pose: Pose, upright: Upright
) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Disparities [C, columns] of planes along the walls' axes through peaks of the profile; the last is raw."""
    eye = upright.along(pose[:3, 3].astype(np.float32)).astype(float)
    right, ahead = (upright.along(pose[:3, i].astype(np.float32)).astype(float) for i in (0, 2))
    ray = ahead[None, :] + direction[:, None] * right[None, :]
    point = eye + ray / raw[:, None]
    lines, surfaces = [], []
    for axis in (0, 2):
        values = point[:, axis]
        low = values.min()
        bins = np.floor((values - low) / _BIN_M).astype(int) + 1
        weight = np.bincount(bins, np.maximum(trust, 0.05), int(bins.max()) + 2)
        smooth = np.convolve(weight, [0.5, 1, 0.5], "same")
        for peak in np.argsort(-smooth, kind="stable")[:_PEAKS]:
            if smooth[peak] < 2.0:
                break
            near = np.abs(bins - peak) <= 1
            offset = float(np.average(values[near], weights=np.maximum(trust[near], 0.05))) - eye[axis]
            if abs(offset) < 0.15:
                continue
            line = ray[:, axis] / offset
            lines.append(np.where(line > 0.04, line, 1e-3))
            surfaces.append(WALL + (0 if axis == 0 else 1) + (2 if offset > 0 else 0))
    return np.array([*lines, raw], float), np.array([*surfaces, NONE], np.uint8)


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


def _facing(raw: Floats, direction: Floats, pose: Pose, upright: Upright) -> NDArray[np.uint8]:
    """The wall that each column of the raw profile most looks like."""
    right, ahead = (upright.along(pose[:3, i].astype(np.float32)).astype(float) for i in (0, 2))
    points = (ahead[None, :] + direction[:, None] * right[None, :]) / raw[:, None]
    along = np.gradient(points, axis=0)
    normal = np.stack((along[:, 2], -along[:, 0]), -1)
    normal *= -np.sign((normal * points[:, [0, 2]]).sum(1, keepdims=True))
    scores = np.stack((normal[:, 0], normal[:, 1], -normal[:, 0], -normal[:, 1]))
    return (WALL + scores.argmax(0)).astype(np.uint8)
