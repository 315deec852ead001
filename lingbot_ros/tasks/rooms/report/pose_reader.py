"""From where would the simulator show this image? A search about the pose where it ought to be.

The search itself errs: where walls are blank, by much. It is therefore run on the real frame, too, from the same start,
and a model's error is to be read beside that one.
"""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from lingbot_ros.tasks.rooms.report.baselines import Frame
from lingbot_ros.tasks.rooms.simulator.renderer import HouseRenderer

_SIGMAS_PX = (4.0, 4.0, 4.0, 2.0, 2.0, 2.0, 1.0, 1.0, 1.0)
"""Images are blurred first, so that texture that repeats does not mislead: one step for each."""
_NUDGES = np.array([[0.03, 0, 0], [0, 0.03, 0], [0, 0, 0.008]])
"""x, z in metres and yaw in radians, to differentiate by."""
_START = np.array([0.08, -0.08, 0.03])
_LARGEST = np.array([0.1, 0.1, 0.05])


class PoseReader:
    """Reads x, z and yaw by Gauss-Newton steps against rendered images of the house that `renderer` shows."""

    def __init__(self, renderer: HouseRenderer) -> None:
        self._renderer = renderer

    def read(self, image: Frame, near: NDArray[np.float64], mask: NDArray[np.bool_]) -> NDArray[np.float64]:
        """x, z, yaw of an image [H, W, 3], from a start beside the drive pose `near` [4]; pixels of `mask` count."""
        weight, guess = mask.astype(np.float32), _START.copy()
        for sigma in _SIGMAS_PX:
            wanted, here = _smooth(image, sigma), self._look(near, guess, sigma)
            slopes = np.stack([(self._look(near, guess + n, sigma) - here) / n.sum() for n in _NUDGES], -1)
            residual = ((wanted - here) * weight[..., None]).reshape(-1)
            # Edges that jump say nothing of where to go: residuals count as far as a robust scale allows.
            scale = 1.5 * float(np.median(np.abs(residual[residual != 0]))) + 1.0 if residual.any() else 1.0
            robust = (scale / np.maximum(np.abs(residual), scale))[:, None]
            matrix = (slopes * weight[..., None, None]).reshape(-1, 3)
            normal = matrix.T @ (matrix * robust) + 1e-3 * np.eye(3)
            step = np.linalg.solve(normal, matrix.T @ (residual[:, None] * robust))
            guess = guess + np.clip(step[:, 0], -_LARGEST, _LARGEST)
        return near[[0, 1, 2]] + guess

    def _look(self, near: NDArray[np.float64], offset: NDArray[np.float64], sigma: float) -> NDArray[np.float32]:
        return _smooth(self._renderer.render(near + np.append(offset, 0.0))[0], sigma)


def _smooth(image: Frame, sigma: float) -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(image.astype(np.float32), (0, 0), sigma), np.float32)


def pose_errors(read: NDArray[np.float64], true: NDArray[np.float64]) -> tuple[float, float]:
    """Degrees of yaw, and metres on the floor."""
    yaw = (read[2] - true[2] + np.pi) % (2 * np.pi) - np.pi
    return float(abs(np.degrees(yaw))), float(np.hypot(*(read[:2] - true[:2])))


def path_lengths(drive: NDArray[np.float64], context: int) -> Iterator[float]:
    """Metres from the last context frame to each frame after it."""
    yield from np.cumsum(np.hypot(*np.diff(drive[context - 1 :, :2], axis=0).T))
