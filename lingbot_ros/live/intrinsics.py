"""Pinhole intrinsics [3, 3] of an image that is resized to a model's frame size."""

import numpy as np
from numpy.typing import NDArray


def scale_intrinsics(
    intrinsics: NDArray[np.float64] | None, size: tuple[int, int], new_size: tuple[int, int]
) -> NDArray[np.float64] | None:
    """Intrinsics of the image stretched from `size` to `new_size` (height, width); pixel centres are whole numbers."""
    if intrinsics is None:
        return None
    scaled = intrinsics.copy()
    for row, axis in ((0, 1), (1, 0)):
        factor = new_size[axis] / size[axis]
        scaled[row, :2] *= factor
        scaled[row, 2] = (intrinsics[row, 2] + 0.5) * factor - 0.5
    return scaled


def focal_and_centre(intrinsics: NDArray[np.float64] | None) -> tuple[float, float, float, float] | None:
    """(fx, fy, cx, cy) as the core takes them: it has the centre of the upper left pixel at (0.5, 0.5), not (0, 0)."""
    if intrinsics is None:
        return None
    (fx, _, cx), (_, fy, cy) = intrinsics[:2].tolist()
    return fx, fy, cx + 0.5, cy + 0.5
