"""The outline of a layer, fitted to images to a tenth of a pixel, without knowing what it is.

An image is nearly a point sample of a sharper one: a pixel that is all layer or none bounds the edge, and one that is
mixed tells where the edge is. Corners and poses are found together by Gauss-Newton on these distances.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from lingbot_ros.model.rigid_layers.config import MOST_CORNERS
from lingbot_ros.model.rigid_layers.polygon import Floats, area, bends, nearest, unplace
from lingbot_ros.model.rigid_layers.sight import Sight
from lingbot_ros.model.rigid_layers.square import SquareOutline, square_outline

_HUBER_PX = 0.3
_SETTLED = 1e-4
"""A step of Gauss-Newton that changes no unknown by more than this (pixels, radians) is the last."""
_REACH_PX = 1.5
_WIDER_PX = 0.6
_CENTRING = 0.3
_UPSAMPLED = 8
_FLAT_RAD = np.radians(35.0)
_SHARP_RAD = np.radians(60.0)
_FOLD_RAD = np.radians(155.0)
_SHORT_PX = 3.0
_STEP_PX = 1.2
_SMOOTH = 0.15
_EXPLAINED = 0.08
"""A polygon that leaves less than this per pixel of its length needs no smooth line instead."""


@dataclass(frozen=True)
class Fit:
    """outline [V, 2] in the layer's frame, poses [F, 3], and the summed error of the shares."""

    outline: Floats
    poses: Floats
    error: float


def rough_contour(share: Floats) -> Floats:
    """The line of half coverage of a share [H, W], pixels of the image: [n, 2], hundreds of points or none."""
    large = cv2.resize(share, None, fx=_UPSAMPLED, fy=_UPSAMPLED, interpolation=cv2.INTER_CUBIC)
    found, _ = cv2.findContours((large > 0.5).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not found:
        return np.empty((0, 2))
    contour = max(found, key=cv2.contourArea)[:, 0].astype(np.float64)
    contour = (contour + 0.5) / _UPSAMPLED - 0.5
    return contour if area(contour) > 0 else contour[::-1].copy()


def fit_outline(contour: Floats, sights: Sequence[Sight], ramp_px: float) -> Fit:
    """A polygon with few corners or a smooth line, whichever explains the images better; of `MOST_CORNERS` at most.

    `contour` [n, 2] in the layer's frame is where to begin; the pose of the first sight is kept. `ramp_px` is how wide
    an edge is drawn.
    """
    corners = _merge(cv2.approxPolyDP(contour.astype(np.float32)[:, None], 0.6, True)[:, 0].astype(np.float64))
    polygon = None
    if len(corners) <= 2 * MOST_CORNERS:  # to take corner after corner from more would last for minutes
        polygon = _squared(_prune(_solve(corners, sights, ramp_px, 0.0, 8), sights, ramp_px), sights, ramp_px)
        if len(polygon.outline) > MOST_CORNERS:
            polygon = None
    if polygon is not None and explains(polygon):
        return polygon
    smooth = _solve(_evenly(contour), sights, ramp_px, _SMOOTH, 10)
    return smooth if polygon is None else min(polygon, smooth, key=lambda fit: fit.error)


def refit(outline: Floats, sights: Sequence[Sight], ramp_px: float) -> Fit:
    """The same corners moved to where all the sights want them, without those that these do not need."""
    is_smooth = bends(outline).max() < _SHARP_RAD
    solved = _solve(outline, sights, ramp_px, _SMOOTH if is_smooth else 0.0, 8)
    return solved if is_smooth else _squared(_prune(solved, sights, ramp_px), sights, ramp_px)


def explains(fit: Fit) -> bool:
    """Whether the outline leaves so little of the images unexplained that no other need be sought."""
    length = np.linalg.norm(np.roll(fit.outline, -1, 0) - fit.outline, axis=-1).sum()
    return bool(fit.error < _EXPLAINED * length * len(fit.poses))


def register(outline: Floats, sight: Sight, ramp_px: float, turns: bool = True, rounds: int = 12) -> Fit:
    """Only the pose: from that of the sight to where its pixels want the outline."""
    pose = sight.pose.copy()
    for index in range(rounds):
        reach = 4.0 if index < 4 else _REACH_PX  # far at first: the pose was only predicted
        rows, weights, residuals = _rows(outline, sight.at(pose), ramp_px, reach)
        jacobian = rows[1] if turns else rows[1][:, :2]
        step = _step(jacobian, residuals, weights, 1e-3)
        pose[: len(step)] += np.clip(step, -2.0, 2.0)
        if reach == _REACH_PX and np.abs(step).max() < _SETTLED:
            break
    moved = sight.at(pose)
    return Fit(outline, pose[None], share_error(outline, [moved], ramp_px))


def fit_disc(sights: Sequence[Sight], radius: float, ramp_px: float) -> tuple[Floats, float]:
    """Centres [F, 2] and the one radius of a disc that is seen several times; `radius` and the poses are guesses."""
    centres = np.stack([sight.pose[:2] for sight in sights])
    for index in range(10):
        wanted = []
        for number, sight in enumerate(sights):
            offset = sight.points - centres[number]
            apart = np.maximum(np.linalg.norm(offset, axis=-1), 1e-6)
            residual, weight = _residuals(apart - radius, sight.share, ramp_px, 4.0 if index < 4 else _REACH_PX)
            jacobian = np.column_stack([-offset / apart[:, None], -np.ones(len(apart))])
            step = _step(jacobian, residual, weight, 1e-3)
            centres[number] += np.clip(step[:2], -1.0, 1.0)
            wanted.append(step[2])
        radius += float(np.clip(np.mean(wanted), -0.3, 0.3))
    return centres, radius


def share_error(outline: Floats, sights: Sequence[Sight], ramp_px: float) -> float:
    """Summed difference between the shares seen and those that the outline makes."""
    total = 0.0
    for sight in sights:
        distance = nearest(unplace(sight.points, sight.pose), outline).distance
        total += float(np.abs(np.clip(0.5 - distance / ramp_px, 0, 1) - sight.share).sum())
    return total


def _solve(
    outline: Floats,
    sights: Sequence[Sight],
    ramp_px: float,
    smooth: float,
    rounds: int,
    square: SquareOutline | None = None,
) -> Fit:
    """`square`: the outline as one whose corners are all square, which they then remain."""
    poses = [sight.pose.copy() for sight in sights]
    count = 2 * len(outline) if square is None else square.unknowns
    size = count + 3 * (len(sights) - 1)
    for _ in range(rounds):
        normal, right = np.zeros((size, size)), np.zeros(size)
        freedom = None if square is None else square.freedom()
        for index, sight in enumerate(sights):
            rows, weights, residuals = _rows(outline, sight.at(poses[index]), ramp_px, _REACH_PX)
            jacobian = np.zeros((len(residuals), size))
            jacobian[:, :count] = rows[0] if freedom is None else rows[0] @ freedom
            if index:
                jacobian[:, count + 3 * index - 3 : count + 3 * index] = rows[1]
            normal += (jacobian * weights[:, None]).T @ jacobian
            right -= (jacobian * weights[:, None]).T @ residuals
        if smooth:
            bend = 2 * np.eye(len(outline)) - np.roll(np.eye(len(outline)), 1, 0) - np.roll(np.eye(len(outline)), -1, 0)
            stiff = smooth * np.kron(bend.T @ bend, np.eye(2))
            normal[:count, :count] += stiff
            right[:count] -= stiff @ outline.ravel()
        normal[np.diag_indices(size)] += 0.02
        step = np.linalg.solve(normal, right)
        bounded = np.clip(step[:count], -0.5, 0.5)
        square = None if square is None else square.moved(bounded)
        outline = outline + bounded.reshape(-1, 2) if square is None else square.outline
        for index in range(1, len(sights)):
            poses[index] += np.clip(step[count + 3 * index - 3 : count + 3 * index], -0.5, 0.5)
        if np.abs(step).max() < _SETTLED:
            break
    settled = [sight.at(pose) for sight, pose in zip(sights, poses, strict=True)]
    return Fit(outline, np.stack(poses), share_error(outline, settled, ramp_px))


def _rows(outline: Floats, sight: Sight, ramp_px: float, reach: float) -> tuple[tuple[Floats, Floats], Floats, Floats]:
    """Derivatives of the residuals by corners [n, 2 V] and by the pose [n, 3], their weights [n], residuals [n]."""
    local = unplace(sight.points, sight.pose)
    found = nearest(local, outline)
    residual, weight = _residuals(found.distance, sight.share, ramp_px, reach)
    kept = weight > 0
    normal, along, edge = found.gradient[kept], found.along[kept, None], found.edge[kept]
    count = len(outline)
    by_corner = np.zeros((int(kept.sum()), count, 2))
    rows = np.arange(len(edge))
    by_corner[rows, edge] -= normal * (1 - along)
    by_corner[rows, (edge + 1) % count] -= normal * along
    cosine, sine = np.cos(sight.pose[2]), np.sin(sight.pose[2])
    x, y = local[kept, 0], local[kept, 1]
    by_pose = np.stack(
        [
            -(cosine * normal[:, 0] - sine * normal[:, 1]),
            -(sine * normal[:, 0] + cosine * normal[:, 1]),
            normal[:, 0] * y - normal[:, 1] * x,
        ],
        -1,
    )
    # Not -1: where no pixel lies near the outline there are no rows to tell the width by.
    return (by_corner.reshape(len(edge), 2 * count), by_pose), weight[kept], residual[kept]


def _residuals(distance: Floats, share: Floats, ramp_px: float, reach: float) -> tuple[Floats, Floats]:
    """How far [N] the outline is from where the pixels want it, and the weight of their word."""
    mixed = (share > 0.02) & (share < 0.98)
    side = np.where(share >= 0.5, -1.0, 1.0)
    strict = np.where(mixed, distance - (0.5 - share) * ramp_px, side * np.minimum(side * distance - ramp_px / 2, 0))
    wide = (ramp_px + _WIDER_PX) / 2
    gentle = side * np.minimum(side * distance - wide, 0)
    residual = np.where(strict != 0, strict, gentle)
    weight = np.where(strict != 0, 1.0, _CENTRING**2) * (np.abs(distance) < reach) * (residual != 0)
    return residual, weight * np.minimum(1.0, _HUBER_PX / np.maximum(np.abs(residual), 1e-9))


def _step(jacobian: Floats, residuals: Floats, weights: Floats, damping: float) -> Floats:
    normal = (jacobian * weights[:, None]).T @ jacobian
    normal[np.diag_indices(len(normal))] *= 1 + damping
    normal[np.diag_indices(len(normal))] += 1e-6
    return np.asarray(np.linalg.solve(normal, -(jacobian * weights[:, None]).T @ residuals))


def _merge(outline: Floats) -> Floats:
    """Without corners that hardly turn."""
    while len(outline) > 3 and bends(outline).min() < np.radians(10.0):
        outline = np.delete(outline, int(bends(outline).argmin()), 0)
    return outline


def _evenly(contour: Floats) -> Floats:
    closed = np.vstack([contour, contour[:1]])
    lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=-1))])
    at = np.linspace(0.0, lengths[-1], min(max(8, round(lengths[-1] / _STEP_PX)), MOST_CORNERS), endpoint=False)
    return np.stack([np.interp(at, lengths, closed[:, axis]) for axis in (0, 1)], -1)


def _prune(fit: Fit, sights: Sequence[Sight], ramp_px: float) -> Fit:
    """Without corners and short edges that the images do not need: that makes the others sharp."""
    refused: set[tuple[float, float]] = set()
    while len(fit.outline) > 3:
        simpler = next((s for s in _simpler(fit.outline) if _name(s[1]) not in refused), None)
        if simpler is None:
            return fit
        forced, outline = simpler
        settled = [sight.at(pose) for sight, pose in zip(sights, fit.poses, strict=True)]
        tried = _solve(outline, settled, ramp_px, 0.0, 6)
        if forced or tried.error < fit.error + len(sights):
            fit = tried
            refused.clear()
        else:
            refused.add(_name(outline))
    return fit


def _squared(fit: Fit, sights: Sequence[Sight], ramp_px: float) -> Fit:
    """The same with square corners, if it is nearly so and the images allow it."""
    square = square_outline(fit.outline)
    if square is None:
        return fit
    settled = [sight.at(pose) for sight, pose in zip(sights, fit.poses, strict=True)]
    tried = _solve(square.outline, settled, ramp_px, 0.0, 8, square)
    spared = (2 * len(fit.outline) - square.unknowns) / 2
    return tried if tried.error < fit.error + spared * len(sights) else fit


def _name(outline: Floats) -> tuple[float, float]:
    return float(outline[:, 0].sum()), float(outline[:, 1].sum())


def _simpler(outline: Floats) -> list[tuple[bool, Floats]]:
    """Outlines with one corner less, the most harmless first, and whether there is no choice."""
    turns = bends(outline)
    edges = np.linalg.norm(np.roll(outline, -1, 0) - outline, axis=-1)
    ways = [(True, 0.0, np.delete(outline, i, 0)) for i in np.nonzero(turns > _FOLD_RAD)[0]]
    ways += [(False, turns[i], np.delete(outline, i, 0)) for i in np.nonzero(turns < _FLAT_RAD)[0]]
    ways += [(False, edges[i] / _SHORT_PX, _crossed(outline, int(i))) for i in np.nonzero(edges < _SHORT_PX)[0]]
    return [(forced, way) for forced, _, way in sorted(ways, key=lambda way: (not way[0], way[1]))]


def _crossed(outline: Floats, index: int) -> Floats:
    """Edge `index` replaced by the place where its neighbours meet, or by its middle where they do not."""
    count = len(outline)
    a, b = outline[index - 1], outline[index]
    c, d = outline[(index + 1) % count], outline[(index + 2) % count]
    first, second = b - a, d - c
    cross = first[0] * second[1] - first[1] * second[0]
    meeting = (b + c) / 2
    if abs(cross) > 0.2 * np.linalg.norm(first) * np.linalg.norm(second):
        part = ((c - a)[0] * second[1] - (c - a)[1] * second[0]) / cross
        candidate = a + part * first
        if np.linalg.norm(candidate - meeting) < 2 * _SHORT_PX:
            meeting = candidate
    replaced = outline.copy()
    replaced[index] = meeting
    return np.delete(replaced, (index + 1) % count, 0)
