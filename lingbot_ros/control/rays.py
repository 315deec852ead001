"""A camera's framewise steps -> one ray per pixel, folded into latent cells (model_spec 3.3 steps 4-7, 3.4)."""

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from lingbot_ros.errors import InputError

REFERENCE_SIZE = (480, 832)
"""Height and width in pixels of the frame that the intrinsics files of released example scenes refer to."""


def check_intrinsics(intrinsics: ArrayLike) -> NDArray[np.float64]:
    """fx, fy, cx, cy as float64 [4]; raises InputError."""
    try:
        array = np.asarray(intrinsics, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError("intrinsics", intrinsics, "give four numbers fx, fy, cx, cy in pixels") from error
    if array.shape != (4,) or not np.isfinite(array).all() or array[0] <= 0 or array[1] <= 0:
        raise InputError("intrinsics", array.tolist(), "give four numbers fx, fy, cx, cy in pixels, fx and fy positive")
    return array


def stretch_intrinsics(
    intrinsics: NDArray[np.float64], size: tuple[int, int], new_size: tuple[int, int]
) -> NDArray[np.float64]:
    """fx, fy, cx, cy of an image stretched from `size` to `new_size` (height, width).

    Image coordinates are those of the released models: the centre of the upper left pixel is (0.5, 0.5).
    """
    (height, width), (new_height, new_width) = size, new_size
    x, y = new_width / width, new_height / height
    return intrinsics * np.array([x, y, x, y])


def default_intrinsics(height: int, width: int) -> NDArray[np.float64]:
    """What released demos assume when no camera is given: focal length 500 at 832 x 480, centred (model_spec 6.5)."""
    reference = np.array([500.0, 500.0, REFERENCE_SIZE[1] / 2, REFERENCE_SIZE[0] / 2])
    return stretch_intrinsics(reference, REFERENCE_SIZE, (height, width))


class RayGrid:
    """The folded viewing directions of one pinhole camera; only turned and moved per frame."""

    def __init__(self, intrinsics: NDArray[np.float64], height: int, width: int, fold: int, device: str) -> None:
        """Sizes in pixels; `fold` x `fold` pixels become channels of one cell, row by row."""
        fx, fy, cx, cy = intrinsics
        x, y = (np.arange(width) + 0.5 - cx) / fx, (np.arange(height) + 0.5 - cy) / fy
        rays = np.stack((*np.meshgrid(x, y), np.ones((height, width))))
        rays /= np.linalg.norm(rays, axis=0)
        cells = torch.from_numpy(rays).unflatten(2, (-1, fold)).unflatten(1, (-1, fold))
        self._fold = fold
        self._directions = cells.permute(0, 2, 4, 1, 3).flatten(1, 2).float().to(device)  # [3, fold^2, h, w]

    def directions(self, rotations: Tensor) -> Tensor:
        """Rotations [f, 3, 3] -> directions after turning by them, float32 [3 * fold^2, f, h, w]."""
        turned = torch.einsum("fij,jphw->ipfhw", rotations.to(self._directions), self._directions)
        return turned.flatten(0, 1)

    def constants(self, values: Tensor) -> Tensor:
        """Values [f, k] that all pixels of a frame share -> float32 [k * fold^2, f, h, w]."""
        f, k = values.shape
        spread = values.T[:, None, :, None, None].to(self._directions)
        return spread.expand(k, self._fold**2, f, *self._directions.shape[2:]).flatten(0, 1)
