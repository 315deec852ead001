"""Camera paths as camera-to-world matrices in OpenCV axes: x right, y down, z forward (model_spec 3.3 steps 1-3).

Everything is float64: worlds often lie far from their origin, and differences of float32 positions lose their digits.
"""

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from lingbot_ros.errors import InputError

Poses = NDArray[np.float64]
"""[n, 4, 4] camera-to-world."""

_ORTHONORMAL_TOLERANCE = 1e-3
_FARTHEST = 1e9
"""A coordinate beyond it is no place: pixels of what is so far away are beyond 32 bits."""


def check_poses(poses: ArrayLike, field: str = "poses") -> Poses:
    """The poses as float64 [n, 4, 4]; raises InputError naming the first that is not a finite rigid transform."""
    try:
        array = np.asarray(poses, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(field, poses, "give numbers, [n, 4, 4] camera-to-world") from error
    if array.ndim != 3 or array.shape[1:] != (4, 4) or not len(array):
        raise InputError(field, f"shape {list(array.shape)}", "give [n, 4, 4] camera-to-world matrices")
    for index, pose in enumerate(array):
        rotation = pose[:3, :3]
        if not np.isfinite(pose).all():
            raise InputError(f"{field}[{index}]", "a number that is not finite", "give finite numbers")
        if np.abs(pose[:3, 3]).max() > _FARTHEST:
            raise InputError(f"{field}[{index}]", f"position {pose[:3, 3].tolist()}", f"give at most {_FARTHEST:g}")
        if not np.allclose(pose[3], (0, 0, 0, 1), atol=_ORTHONORMAL_TOLERANCE):
            raise InputError(f"{field}[{index}]", f"last row {pose[3].tolist()}", "give a last row of 0, 0, 0, 1")
        is_rotation = np.allclose(rotation @ rotation.T, np.eye(3), atol=_ORTHONORMAL_TOLERANCE)
        if not is_rotation or np.linalg.det(rotation) < 0:
            raise InputError(f"{field}[{index}]", "a 3x3 part that is no rotation", "make it right-handed, orthonormal")
    return array


def interpolate_poses(poses: Poses, positions: ArrayLike) -> Poses:
    """Poses at fractional indices 0 ... n-1: translations linear, rotations along the shortest arc (SLERP)."""
    at = np.clip(np.asarray(positions, np.float64), 0, len(poses) - 1)
    before = np.minimum(at.astype(int), max(len(poses) - 2, 0))
    after = np.minimum(before + 1, len(poses) - 1)
    result = np.tile(np.eye(4), (len(at), 1, 1))
    for row, (index, (i, j)) in enumerate(zip(at, zip(before, after, strict=True), strict=True)):
        part = index - i
        arc, _ = cv2.Rodrigues(poses[i, :3, :3].T @ poses[j, :3, :3])
        turn, _ = cv2.Rodrigues(part * arc)
        result[row, :3, :3] = poses[i, :3, :3] @ turn
        result[row, :3, 3] = (1 - part) * poses[i, :3, 3] + part * poses[j, :3, 3]
    return result


def resample_path(poses: Poses, latents: int) -> Poses:
    """A recorded path at frame rate -> exactly `latents` poses, as the released pipeline does: stretched, not cut.

    The path is first cut to 4k + 1 poses, so that with 4 * (latents - 1) + 1 of them every fourth is taken.
    """
    count = (len(poses) - 1) // 4 * 4 + 1
    return interpolate_poses(poses[:count], np.linspace(0, count - 1, latents))


def framewise_steps(poses: Poses, previous: Poses | None = None) -> Poses:
    """Each pose relative to the one before it, [n, 4, 4]; the first relative to `previous` [4, 4] or still."""
    first = poses[:1] if previous is None else previous[None]
    before = np.concatenate((first, poses[:-1]))
    inverse = before[:, :3, :3].transpose(0, 2, 1)
    steps = np.tile(np.eye(4), (len(poses), 1, 1))
    steps[:, :3, :3] = inverse @ poses[:, :3, :3]
    steps[:, :3, 3] = (inverse @ (poses[:, :3, 3:] - before[:, :3, 3:]))[:, :, 0]
    if previous is None:
        steps[0] = np.eye(4)
    return steps


def longest_step(steps: Poses) -> float:
    """The largest translation of framewise steps, in the poses' unit: what the released pipeline divides by."""
    return float(np.linalg.norm(steps[:, :3, 3], axis=1).max())
