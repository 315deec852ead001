"""How close an imagined frame is to the true one."""

from math import log10

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter  # type: ignore[import-untyped]

from lingbot_ros.errors import InputError

Frame = NDArray[np.uint8]
Video = NDArray[np.uint8]
Floats = NDArray[np.float64]

PSNR_LIMIT_DB = 100.0
_PEAK = 255.0
_LUMA = np.array([0.299, 0.587, 0.114])
_SIGMA_PX, _REACH_SIGMAS, _BORDER_PX = 1.5, 3.5, 5
_C1, _C2 = (0.01 * _PEAK) ** 2, (0.03 * _PEAK) ** 2


def luma(frames: NDArray[np.uint8]) -> Floats:
    """Brightness 0..255, float64 [..., h, w], of RGB frames [..., h, w, 3]."""
    return np.asarray(frames @ _LUMA)


def mse(*, imagined: NDArray[np.uint8], reference: NDArray[np.uint8]) -> float:
    """The mean squared error in grey levels squared, 0..65025."""
    _same(imagined, reference)
    return float(((imagined.astype(np.float64) - reference) ** 2).mean())


def mae(*, imagined: NDArray[np.uint8], reference: NDArray[np.uint8]) -> float:
    """The mean absolute error in grey levels, 0..255."""
    _same(imagined, reference)
    return float(np.abs(imagined.astype(np.float64) - reference).mean())


def psnr_of_mse(error: float) -> float:
    """Decibels of a mean squared error, at most 100."""
    return PSNR_LIMIT_DB if error <= _PEAK**2 * 10 ** (-PSNR_LIMIT_DB / 10) else 10 * log10(_PEAK**2 / error)


def psnr_db(*, imagined: NDArray[np.uint8], reference: NDArray[np.uint8]) -> float:
    """Peak signal to noise in decibels, at most 100; higher is better."""
    return psnr_of_mse(mse(imagined=imagined, reference=reference))


def ssim(*, imagined: NDArray[np.uint8], reference: NDArray[np.uint8]) -> float:
    """Structural similarity -1..1 of two frames' luma, [h, w, 3] or grey [h, w]: Gaussian windows of 11 x 11 pixels.

    Frames need 11 pixels either way.
    """
    _same(imagined, reference)
    colour = imagined.ndim == 3
    x, y = (luma(frame) if colour else frame.astype(np.float64) for frame in (imagined, reference))
    return _ssim(x, y)


def ssim_rgb(*, imagined: Frame, reference: Frame) -> float:
    """The mean of the three channels' structural similarity."""
    _same(imagined, reference)
    return float(np.mean([_ssim(imagined[..., c].astype(float), reference[..., c].astype(float)) for c in range(3)]))


def skill(*, imagined: Video, reference: Video) -> float | None:
    """How much better than freezing the first frame: 1 perfect, 0 as good as frozen. None where nothing moves.

    Videos [T, h, w, 3] whose frame 0 is the start and is not scored.
    """
    _same(imagined, reference)
    frozen = sum(mse(imagined=reference[0], reference=frame) for frame in reference[1:])
    if len(reference) < 2 or frozen / len(reference) < 1:
        return None
    errors = sum(mse(imagined=a, reference=b) for a, b in zip(imagined[1:], reference[1:], strict=True))
    return float(1 - errors / frozen)


def motion_iou(*, imagined: Video, reference: Video, threshold: float = 12.0) -> float | None:
    """Do the same places change? Overlap 0..1 of the pixels that change between frames. None where none does."""
    _same(imagined, reference)
    first, second = (_moving(video, threshold) for video in (imagined, reference))
    either = int((first | second).sum())
    return int((first & second).sum()) / either if either else None


def _moving(video: Video, threshold: float) -> NDArray[np.bool_]:
    change = np.abs(np.diff(luma(video), axis=0)).astype(np.float32)
    return np.stack([cv2.medianBlur(frame, 5) > threshold for frame in change])


def _ssim(x: Floats, y: Floats) -> float:
    if min(x.shape) <= 2 * _BORDER_PX:
        raise InputError("frames", f"shape {x.shape}", f"give more than {2 * _BORDER_PX} pixels either way")

    def mean(values: Floats) -> Floats:
        return np.asarray(gaussian_filter(values, _SIGMA_PX, truncate=_REACH_SIGMAS, mode="reflect"))

    mu_x, mu_y = mean(x), mean(y)
    var_x, var_y, cov = mean(x * x) - mu_x**2, mean(y * y) - mu_y**2, mean(x * y) - mu_x * mu_y
    top = (2 * mu_x * mu_y + _C1) * (2 * cov + _C2)
    whole = top / ((mu_x**2 + mu_y**2 + _C1) * (var_x + var_y + _C2))
    return float(whole[_BORDER_PX:-_BORDER_PX, _BORDER_PX:-_BORDER_PX].mean())


def _same(imagined: NDArray[np.uint8], reference: NDArray[np.uint8]) -> None:
    if imagined.shape != reference.shape or imagined.dtype != np.uint8 or reference.dtype != np.uint8:
        found = f"{list(imagined.shape)} {imagined.dtype} and {list(reference.shape)} {reference.dtype}"
        raise InputError("imagined, reference", found, "give uint8 frames of the same shape")
