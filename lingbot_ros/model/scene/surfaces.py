"""Which surface a pixel shows: floor, ceiling, or a wall by the way it faces; and where on that surface it is.

World y points down. Walls are taken to stand at right angles to each other; which way they stand is read off the first
image, like the heights of floor and ceiling.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lingbot_ros.model.scene.camera import Floats

FLOOR, CEILING, WALL = 0, 1, 2
"""Surfaces by number; walls are 2 .. 5: facing +x, +z, -x, -z of the walls' own axes."""
SURFACES = 6
NONE = 255
_EYE_M, _ROOM_M, _CEILING_M = 1.5, 2.7, 2.45
_UPRIGHT, _FLAT = 0.2, 0.95
_REACH = 3
_TILTED, _FLAT_SHARE, _SPREAD_DEG = 0.85, 0.1, 8.0


@dataclass(frozen=True)
class Upright:
    """y of floor and ceiling in metres (NaN: never seen), and by how much the walls' x axis is turned from the world's.

    A point (x, z) has the coordinates (x cos + z sin, z cos - x sin) along the walls.
    """

    floor_y: float
    ceiling_y: float
    yaw_rad: float

    def along(self, vectors: Floats) -> Floats:
        """World vectors [..., 3] in the walls' axes."""
        c, s = np.float32(np.cos(self.yaw_rad)), np.float32(np.sin(self.yaw_rad))
        x, y, z = np.moveaxis(vectors, -1, 0)
        return np.stack((x * c + z * s, y, z * c - x * s), -1)

    def with_heights_of(self, other: "Upright") -> "Upright":
        """With the heights that only the other knows."""
        floor_y = self.floor_y if np.isfinite(self.floor_y) else other.floor_y
        ceiling_y = self.ceiling_y if np.isfinite(self.ceiling_y) else other.ceiling_y
        return Upright(floor_y, ceiling_y, self.yaw_rad)

    def heights(self, eye_y: float) -> tuple[float, float]:
        """y of floor and ceiling, with the usual distances from the eye for what was never seen."""
        floor = self.floor_y if np.isfinite(self.floor_y) else eye_y + _EYE_M
        ceiling = self.ceiling_y if np.isfinite(self.ceiling_y) else floor - _ROOM_M
        return floor, ceiling


def normals_of(points: Floats) -> Floats:
    """Unit normals of the surface through points [H, W, 3] a few pixels apart, towards the camera."""
    padded = cv2.copyMakeBorder(points, _REACH, _REACH, _REACH, _REACH, cv2.BORDER_REPLICATE)
    inside, twice = slice(_REACH, -_REACH), 2 * _REACH
    right = padded[inside, twice:] - padded[inside, :-twice]
    down = padded[twice:, inside] - padded[:-twice, inside]
    normals = np.stack(
        (
            down[..., 1] * right[..., 2] - down[..., 2] * right[..., 1],
            down[..., 2] * right[..., 0] - down[..., 0] * right[..., 2],
            down[..., 0] * right[..., 1] - down[..., 1] * right[..., 0],
        ),
        -1,
    )
    length = np.sqrt((normals * normals).sum(-1, keepdims=True))
    return np.asarray(normals / np.maximum(length, 1e-9), np.float32)


def find_upright(points: Floats, eye_y: float) -> Upright:
    """Read heights and the walls' direction off a real view's world points [H, W, 3]."""
    normals = normals_of(points)
    flat = np.abs(normals[..., 1]) > _FLAT
    y = points[..., 1]
    below, above = y[flat & (y > eye_y + 0.3)], y[flat & (y < eye_y - 0.3)]
    floor_y = float(np.median(below)) if len(below) > 100 else float("nan")
    lowest = (floor_y if np.isfinite(floor_y) else eye_y + _EYE_M) - _CEILING_M  # under it are lintels of doors
    above = above[above < lowest]
    standing = normals[np.abs(normals[..., 1]) < _UPRIGHT]
    angle = 4 * np.arctan2(standing[:, 2], standing[:, 0])
    yaw = np.arctan2(np.sin(angle).sum(), np.cos(angle).sum()) / 4 if len(standing) > 100 else 0.0
    return Upright(
        floor_y,
        float(np.median(above)) if len(above) > 100 else float("nan"),
        float(yaw),
    )


def find_tilt(points: Floats) -> tuple[float, float] | None:
    """How far the camera of points [H, W, 3] looks up, and leans to its right, in degrees; None: too little is flat.

    Floors and ceilings are level, so that their normals tell. Predicted distances give it to about 2 degrees up to 12.
    """
    normals = normals_of(points)
    flat = normals[np.abs(normals[..., 1]) > _TILTED]
    if len(flat) < _FLAT_SHARE * points.shape[0] * points.shape[1]:
        return None
    x, y, z = (flat * -np.sign(flat[:, 1:2])).T
    pitch, roll = np.degrees(np.arctan2(z, -y)), np.degrees(np.arctan2(-x, -y))
    if max(np.median(np.abs(angle - np.median(angle))) for angle in (pitch, roll)) > _SPREAD_DEG:
        return None
    return float(np.median(pitch)), float(np.median(roll))


def inner(surface: NDArray[np.uint8], size: int = 5) -> NDArray[np.bool_]:
    """Pixels whose whole neighbourhood shows the same surface."""
    kernel = np.ones((size, size), np.uint8)
    same = cv2.erode(surface, kernel) == cv2.dilate(surface, kernel)
    return np.asarray(same & (surface != NONE))


def coordinates(points: Floats, surface: NDArray[np.uint8], upright: Upright, eye_y: float) -> Floats:
    """Where on its surface each point [n, 3] of surfaces [n] is: float32 [n, 2] in metres.

    Floor and ceiling: along the walls' x and z. Walls: along the wall, and the height above the floor.
    """
    floor_y, _ = upright.heights(eye_y)
    along = upright.along(points)
    first = np.where((surface == WALL) | (surface == WALL + 2), along[:, 2], along[:, 0])
    second = np.where(surface >= WALL, np.float32(floor_y) - along[:, 1], along[:, 2])
    return np.stack((first, second), -1).astype(np.float32)
