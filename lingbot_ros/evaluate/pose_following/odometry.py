"""The camera's own motion as two images show it, by OpenCV."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lingbot_ros.evaluate.pose_following.tracks import Tracks

Floats = NDArray[np.float64]

_CONFIDENCE, _THRESHOLD_PX = 0.9999, 1.0
_LEAST_INLIERS = 0.5


@dataclass(frozen=True)
class SeenMotion:
    """rotation [3, 3] and direction [3], of length 1 or 0 for a pure rotation, from the first camera to the second;
    inliers: the share 0..1 of tracks that agree.
    """

    rotation: Floats
    direction: Floats
    inliers: float


def seen_rotation(tracks: Tracks, camera: Floats) -> Floats:
    """The rotation [3, 3] that fits the tracks best if the camera only turned: orthogonal Procrustes on their rays."""
    rays = []
    for points in (tracks.p, tracks.q):
        ray = np.column_stack([points, np.ones(len(points))]) @ np.linalg.inv(camera).T
        rays.append(ray / np.linalg.norm(ray, axis=1, keepdims=True))
    u, _, vt = np.linalg.svd(rays[1].T @ rays[0])
    return np.asarray(u @ np.diag([1.0, 1.0, np.linalg.det(u @ vt)]) @ vt)


def seen_motion(tracks: Tracks, camera: Floats) -> SeenMotion | None:
    """Rotation and direction by the essential matrix (MAGSAC++) and the side on which points lie.

    None where there are too few tracks, or fewer than half of them agree on one motion.
    """
    if not tracks.suffice:
        return None
    essential, mask = cv2.findEssentialMat(tracks.p, tracks.q, camera, cv2.USAC_MAGSAC, _CONFIDENCE, _THRESHOLD_PX)
    if essential is None or essential.shape != (3, 3):
        return None
    inliers = float(mask.mean())
    _, rotation, translation, _ = cv2.recoverPose(essential, tracks.p, tracks.q, camera, mask=mask.copy())
    if inliers < _LEAST_INLIERS:
        return None
    return SeenMotion(np.asarray(rotation, np.float64), np.asarray(translation, np.float64).ravel(), inliers)
