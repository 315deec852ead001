"""The Push-T block as geometry: its outline, where a pose puts it, and where simulator units fall in the image.

Poses are (x, y, angle): x right and y down in simulator units (0..512), angle in radians, positive turns x towards y
(clockwise on the image). The origin of a pose is the middle of the top edge of the T's bar, as in gym-pusht; a test
compares the outline with the simulator's own shapes.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

IMAGE_SIZE = 96
"""Height and width of the images, pixels."""

ARENA_SIZE = 512.0
PUSHER_RADIUS = 15.0
GOAL_POSE = (256.0, 256.0, float(np.pi / 4))

# Corners in order around the T, block frame, simulator units.
OUTLINE = np.array(
    [(-60, 0), (60, 0), (60, 30), (15, 30), (15, 120), (-15, 120), (-15, 30), (-60, 30)],
    dtype=np.float64,
)
CENTRE_OF_GRAVITY = np.array([0.0, 45.0])
CENTROID = np.array([0.0, (120 * 30 * 15 + 30 * 90 * 75) / (120 * 30 + 30 * 90)])
"""Centre of the T's area, which is where the centroid of its mask lies; the simulator turns it about another point."""


def place(points: ArrayLike, pose: ArrayLike) -> NDArray[np.float64]:
    """Move block-frame `points` [..., 2] to where `pose` [..., 3] puts them; leading shapes broadcast."""
    points, pose = np.asarray(points, np.float64), np.asarray(pose, np.float64)
    cosine, sine = np.cos(pose[..., 2]), np.sin(pose[..., 2])
    x = cosine * points[..., 0] - sine * points[..., 1] + pose[..., 0]
    y = sine * points[..., 0] + cosine * points[..., 1] + pose[..., 1]
    return np.stack([x, y], axis=-1)


def outline_at(pose: ArrayLike) -> NDArray[np.float64]:
    """The eight corners [8, 2] of the T at `pose` [3], simulator units."""
    return place(OUTLINE, pose)


def centroid_at(pose: ArrayLike) -> NDArray[np.float64]:
    """The centre of area [..., 2] of the T at `pose` [..., 3], simulator units."""
    return place(CENTROID, pose)


def to_pixels(points: ArrayLike, image_size: int) -> NDArray[np.float64]:
    """Simulator units -> pixel coordinates (centre of the first pixel = 0) of a square image of `image_size`."""
    return (np.asarray(points, np.float64) + 0.5) * (image_size / ARENA_SIZE) - 0.5


def to_units(pixels: ArrayLike, image_size: int) -> NDArray[np.float64]:
    """The inverse of `to_pixels`."""
    return (np.asarray(pixels, np.float64) + 0.5) * (ARENA_SIZE / image_size) - 0.5
