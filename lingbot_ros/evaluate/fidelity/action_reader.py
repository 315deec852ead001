"""Reads actions off pairs of images, by a ridge regression that was fitted to real ones."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.image_metrics.pixels import Frame, Video, luma

Floats = NDArray[np.float64]

_SIDE = 8
_PENALTIES = np.logspace(-4, 4, 17)
"""Times the mean square of the features; the one with the least generalised cross-validation error is taken."""


class ActionReader:
    """A small inverse-dynamics model: the action that led from one image to the next.

    It sees both images as 8 x 8 grey levels and, where the task reads the robot's own state off an image, both
    states. It says nothing of a model unless it reads held-out real images well (`inverse.WEAK_BELOW`).
    """

    def __init__(
        self, videos: Sequence[Video], actions: Sequence[Floats], read_state: Callable[[Frame], Floats] | None = None
    ) -> None:
        """Fit to videos uint8 [T + 1, h, w, 3] and the actions [T, dim] between their images. Raises InputError for
        none.
        """
        if not videos:
            raise InputError("videos", "none", "give one or more to learn from")
        self._read_state = read_state
        features = np.concatenate([self._features(video) for video in videos])
        wanted = np.concatenate(actions)
        self._mean, self._target = features.mean(axis=0), wanted.mean(axis=0)
        self._scale = _scale(features)
        self._weights = _ridge((features - self._mean) / self._scale, wanted - self._target)

    def read(self, video: Video) -> Floats:
        """Actions [T, dim] of a video uint8 [T + 1, h, w, 3]."""
        return (self._features(video) - self._mean) / self._scale @ self._weights + self._target

    def _features(self, video: Video) -> Floats:
        small = [cv2.resize(frame, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).ravel() for frame in luma(video)]
        seen = np.array(small)
        both = [seen[:-1], seen[1:]]
        if self._read_state is not None:
            states = np.nan_to_num(np.array([self._read_state(frame) for frame in video], np.float64))
            both += [states[:-1], states[1:]]
        return np.hstack(both)


def _scale(features: Floats) -> Floats:
    """One scale for all pixels, so that those in which only noise changes stay small; one for each of the states."""
    spread = features.std(axis=0)
    pixels = 2 * _SIDE**2
    spread[:pixels] = np.sqrt((spread[:pixels] ** 2).mean()) * _SIDE
    return np.maximum(spread, 1e-6)


def _ridge(features: Floats, wanted: Floats) -> Floats:
    """Weights [features, dim]; the penalty by generalised cross-validation."""
    u, strengths, vt = np.linalg.svd(features, full_matrices=False)
    along, count = u.T @ wanted, len(features)
    outside = float((wanted**2).sum() - (along**2).sum())

    def error(penalty: float) -> float:
        kept = strengths**2 / (strengths**2 + penalty)
        left = outside + float((((1 - kept)[:, None] * along) ** 2).sum())
        return left / max(count - float(kept.sum()), 1e-9) ** 2

    penalty = min(_PENALTIES * float((strengths**2).mean()), key=error)
    return np.asarray(vt.T @ ((strengths / (strengths**2 + penalty))[:, None] * along))
