"""How far an image is from the imagined one, in figures that an object in the wrong place cannot hide from."""

import cv2
import numpy as np
from numpy.typing import NDArray

from lingbot_ros.evaluate.image_metrics.pixels import luma
from lingbot_ros.evaluate.policies.contract import Frame
from lingbot_ros.evaluate.rollouts.stepper import Frames

Floats = NDArray[np.float64]

COMPONENTS = {"local_error": "grey levels", "mean_error": "grey levels", "appearance": ""}
"""Each component of a deviation and its unit; large is bad."""

_PATCHES = 12
_SOFT_SHARPNESS, _SOFT_CONTRAST, _SOFT_SATURATION = 10.0, 2.0, 2.0
"""Added to both sides of a ratio, so that a grey or a flat image has one."""


def local_error(*, imagined: Frame, reference: Frame) -> float:
    """The mean absolute error of the worst patch, a twelfth of the image either way, in grey levels 0..255.

    An object that is elsewhere changes a few patches a lot; in the mean over a large background it would vanish.
    """
    return float(_patches(_error(imagined, reference)).max())


def appearance_change(image: Frame, reference: Frame) -> float:
    """How much the looks differ: the largest |log ratio| of sharpness, contrast and saturation. 0 is alike."""
    changes = [
        abs(np.log((_of(image) + soft) / (_of(reference) + soft)))
        for _of, soft in ((_sharpness, _SOFT_SHARPNESS), (_contrast, _SOFT_CONTRAST), (_saturation, _SOFT_SATURATION))
    ]
    return float(max(changes))


def deviations(imagined: Frames, real: Frames, reference: Frame) -> Floats:
    """[T, components] of imagined and real images uint8 [T, H, W, 3]; reference: the last image known to be normal."""
    rows = []
    for one, other in zip(imagined, real, strict=True):
        error = _error(one, other)
        rows.append((_patches(error).max(), error.mean(), appearance_change(other, reference)))
    return np.array(rows, np.float64).reshape(-1, len(COMPONENTS))


def _error(imagined: Frame, reference: Frame) -> NDArray[np.float32]:
    return np.asarray(np.abs(imagined.astype(np.float32) - reference).mean(axis=2))


def _patches(error: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean over the patch around every pixel."""
    height, width = (max(1, round(side / _PATCHES)) for side in error.shape)
    return np.asarray(cv2.blur(error, (width, height), borderType=cv2.BORDER_REFLECT))


def _sharpness(image: Frame) -> float:
    return float(cv2.Laplacian(luma(image), cv2.CV_64F).var())


def _contrast(image: Frame) -> float:
    return float(luma(image).std())


def _saturation(image: Frame) -> float:
    return float(np.ptp(image, axis=-1).mean())
