"""Polygons in numpy, float64, for the fit of outlines: distances with their derivatives, corners, areas."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Nearest:
    """For points [N]: signed distance (negative inside) [N], its gradient [N, 2], the edge [N] and the place on it."""

    distance: Floats
    gradient: Floats
    edge: NDArray[np.int64]
    along: Floats


def nearest(points: Floats, outline: Floats) -> Nearest:
    """points [N, 2] against a closed polygon [V, 2] without repeated corners."""
    from lingbot_ros.model.rigid_layers.nearest_edge import find_nearest  # noqa: PLC0415  - takes a while to import

    count = len(points)
    found = Nearest(np.empty(count), np.empty((count, 2)), np.empty(count, np.int64), np.empty(count))
    find_nearest(points, outline, found.distance, found.gradient, found.edge, found.along)
    return found


def area(outline: Floats) -> float:
    """Positive when x turns towards y along the outline."""
    following = np.roll(outline, -1, 0)
    return float((outline[:, 0] * following[:, 1] - outline[:, 1] * following[:, 0]).sum() / 2)


def centroid(outline: Floats) -> Floats:
    """Centre of the area [2]."""
    following = np.roll(outline, -1, 0)
    cross = outline[:, 0] * following[:, 1] - outline[:, 1] * following[:, 0]
    return np.asarray(((outline + following) * cross[:, None]).sum(0) / (3 * cross.sum()))


def bends(outline: Floats) -> Floats:
    """By how much the outline turns at each corner, radians [V], without sign."""
    before, after = outline - np.roll(outline, 1, 0), np.roll(outline, -1, 0) - outline
    cross = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    return np.asarray(np.abs(np.arctan2(cross, (before * after).sum(-1))))


def place(points: Floats, pose: Floats) -> Floats:
    """From a layer's frame to the image: points [..., 2], pose [3] = x, y, angle."""
    cosine, sine = np.cos(pose[2]), np.sin(pose[2])
    return (
        np.stack([cosine * points[..., 0] - sine * points[..., 1], sine * points[..., 0] + cosine * points[..., 1]], -1)
        + pose[:2]
    )


def unplace(points: Floats, pose: Floats) -> Floats:
    """The inverse of `place`."""
    offset = points - pose[:2]
    cosine, sine = np.cos(pose[2]), np.sin(pose[2])
    return np.stack(
        [cosine * offset[..., 0] + sine * offset[..., 1], cosine * offset[..., 1] - sine * offset[..., 0]], -1
    )
