"""How like one image is to another, whatever is on it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Frames = NDArray[np.uint8]

PSNR_CEILING_DB = 60.0
"""Identical images have no finite PSNR; a mean over windows needs one."""


@dataclass(frozen=True)
class Metric:
    """How good one imagined image is beside the real one.

    `of` takes (imagined, real), uint8 [h, w, 3] RGB. `baseline` is what repeating the last real frame is called in its
    terms, `shortfall` what it means that a model is not good enough.
    """

    name: str
    of: Callable[[Frames, Frames], float]
    baseline: str
    shortfall: str
    lower_is_better: bool = False


def psnr_db(first: Frames, second: Frames) -> float:
    """Peak signal-to-noise ratio of two uint8 images, at most `PSNR_CEILING_DB`."""
    error = np.mean((first.astype(np.float64) - second.astype(np.float64)) ** 2)
    return min(PSNR_CEILING_DB, 10 * np.log10(255.0**2 / error)) if error else PSNR_CEILING_DB


def psnr_of_error(error: NDArray[np.float64]) -> NDArray[np.float64]:
    """PSNR of 8-bit images with this mean squared error, at most `PSNR_CEILING_DB`."""
    floor = 255.0**2 / 10 ** (PSNR_CEILING_DB / 10)
    return np.asarray(10 * np.log10(255.0**2 / np.maximum(error, floor)))


def squared_error(frames: Frames, real: Frames) -> NDArray[np.float64]:
    """Mean squared error per image, [N, H] for uint8 [N, H, h, w, 3], in squared grey levels."""
    return image_by_image(lambda a, b: float(np.mean((a.astype(np.float64) - b.astype(np.float64)) ** 2)), frames, real)


def image_by_image(of: Callable[[Frames, Frames], float], frames: Frames, real: Frames) -> NDArray[np.float64]:
    """`of` each pair of images: float64 [N, H] for uint8 [N, H, h, w, 3]."""
    return np.array(
        [[of(a, b) for a, b in zip(row, true, strict=True)] for row, true in zip(frames, real, strict=True)], np.float64
    )


PSNR = Metric("psnr_db", psnr_db, "the last real frame repeated", "it predicts no better than if nothing ever moved")
