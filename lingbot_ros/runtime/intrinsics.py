"""Pinhole intrinsics [3, 3] as ROS has them, and fx, fy, cx, cy as the core takes them.

Both are in pixels. ROS has the centre of the upper left pixel at (0, 0), the core and the released files at (0.5, 0.5).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.control.camera import UNIT_STEP
from lingbot_ros.control.rays import REFERENCE_SIZE, stretch_intrinsics
from lingbot_ros.errors import InputError
from lingbot_ros.model.framing import Fit, crop_box

Intrinsics = tuple[float, float, float, float]


@dataclass(frozen=True)
class CameraDefaults:
    """Camera of a session whose start request does not give one.

    intrinsics: fx, fy, cx, cy as in released files, in pixels of a frame of 832 x 480; fx = 0 takes no image whose
    intrinsics are not given. unit_step: see `control.camera.Lens`.
    """

    intrinsics: Intrinsics = (500.0, 500.0, 416.0, 240.0)
    unit_step: float = UNIT_STEP

    def of_image(self, size: tuple[int, int]) -> Intrinsics:
        """In pixels of an image of `size` (height, width). Raises InputError when there are none."""
        if self.intrinsics[0] == 0:
            fix = "give a camera_info with fx > 0, or set the parameter camera.intrinsics"
            raise InputError("camera_info.k", "unknown intrinsics", fix)
        fx, fy, cx, cy = stretch_intrinsics(np.array(self.intrinsics), REFERENCE_SIZE, size).tolist()
        return fx, fy, cx, cy


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


def part_used(
    image: NDArray[np.uint8], intrinsics: NDArray[np.float64] | None, new_size: tuple[int, int], fit: Fit
) -> tuple[NDArray[np.uint8], NDArray[np.float64] | None]:
    """The part of a first image that frames of `new_size` (height, width) show, and its intrinsics [3, 3]."""
    if fit != "crop":
        return image, intrinsics
    top, left, height, width = crop_box((image.shape[0], image.shape[1]), new_size)
    part = image[top : top + height, left : left + width]
    if intrinsics is None:
        return part, None
    moved = intrinsics.copy()
    moved[:2, 2] -= left, top
    return part, moved


def focal_and_centre(intrinsics: NDArray[np.float64]) -> Intrinsics:
    """ROS -> core. Raises InputError for a skewed camera, which the models do not know."""
    (fx, skew, cx), (_, fy, cy) = intrinsics[:2].tolist()
    if skew:
        raise InputError("camera_info.k[1]", skew, "rectify the image; the model knows no skew")
    return fx, fy, cx + 0.5, cy + 0.5


def pinhole_matrix(intrinsics: Intrinsics) -> NDArray[np.float64]:
    """Core -> ROS, float64 [3, 3]."""
    fx, fy, cx, cy = intrinsics
    return np.array([[fx, 0.0, cx - 0.5], [0.0, fy, cy - 0.5], [0.0, 0.0, 1.0]])
