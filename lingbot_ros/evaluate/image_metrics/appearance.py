"""What becomes of a video's looks with time, without a true one: frame t against frame 0."""

from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from lingbot_ros.evaluate.image_metrics.pixels import Video, luma, mae

Floats = NDArray[np.float64]

_SLOPE_BAND = (0.05, 0.40)


def flicker(video: Video) -> float | None:
    """1 - the mean change between frames, 0..1; 1 is still. Only for a scene that stands still. None for one frame."""
    if len(video) < 2:
        return None
    change = [mae(imagined=after, reference=before) for before, after in pairwise(video)]
    return 1 - float(np.mean(change)) / 255


def sharpness_ratio(video: Video) -> Floats:
    """The variance of each frame's Laplacian over frame 0's, [T]; falls with blur. NaN where frame 0 is flat."""
    return _ratio(np.array([cv2.Laplacian(frame, cv2.CV_64F).var() for frame in luma(video)]))


def exposure_shift(video: Video) -> Floats:
    """Mean brightness minus frame 0's in grey levels, [T]."""
    mean = luma(video).mean(axis=(1, 2))
    return np.asarray(mean - mean[0])


def contrast_ratio(video: Video) -> Floats:
    """The standard deviation of brightness over frame 0's, [T]; NaN where frame 0 is flat."""
    return _ratio(luma(video).std(axis=(1, 2)))


def saturation_ratio(video: Video) -> Floats:
    """The mean spread of a pixel's channels over frame 0's, [T]; NaN where frame 0 is grey."""
    return _ratio(np.ptp(video, axis=-1).mean(axis=(1, 2)))


def spectral_slope_shift(video: Video) -> Floats:
    """The slope of log power over log frequency minus frame 0's, [T]: negative is blur, positive is noise.

    NaN for frames without any power in the band of .05 to .40 cycles per pixel.
    """
    slopes = np.array([_spectral_slope(frame) for frame in luma(video)])
    return np.asarray(slopes - slopes[0])


def _spectral_slope(frame: Floats) -> float:
    height, width = frame.shape
    window = np.hanning(height)[:, None] * np.hanning(width)
    power = np.abs(np.fft.fft2((frame - frame.mean()) * window)) ** 2
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width))
    # Rings one step of the frequency grid wide.
    ring = np.round(frequency * min(height, width)).astype(int)
    count = np.bincount(ring.ravel())
    radial = np.bincount(ring.ravel(), power.ravel()) / np.maximum(count, 1)
    at = np.arange(len(radial)) / min(height, width)
    band = (at >= _SLOPE_BAND[0]) & (at <= _SLOPE_BAND[1]) & (radial > 0)
    if band.sum() < 2:
        return float("nan")
    return float(np.polyfit(np.log(at[band]), np.log(radial[band]), 1)[0])


def _ratio(values: Floats) -> Floats:
    return values / values[0] if values[0] > 0 else np.full(len(values), np.nan)
