"""How far tracked points are from where a commanded motion would put them, in pixels.

A relative motion [4, 4] maps camera-i to camera-j coordinates. Points p (in image i) and q (in image j) are pixels
[n, 2]; `camera` is the matrix [3, 3] of intrinsics.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def relative_motion(pose_i: Floats, pose_j: Floats) -> Floats:
    """The motion from camera-to-world poses [4, 4] of both images."""
    return np.asarray(np.linalg.inv(pose_j) @ pose_i)


def rotation_transfer(p: Floats, rotation: Floats, camera: Floats) -> Floats:
    """Where a rotation alone moves the points: [n, 2]."""
    homography = camera @ rotation @ np.linalg.inv(camera)
    moved = _homogeneous(p) @ homography.T
    return np.asarray(moved[:, :2] / moved[:, 2:])


def rotation_residual_px(p: Floats, q: Floats, rotation: Floats, camera: Floats) -> Floats:
    """The distance of q from p moved by the rotation alone, [n]; its median tells how much the camera advanced."""
    return np.asarray(np.linalg.norm(q - rotation_transfer(p, rotation, camera), axis=1))


def sampson_px(p: Floats, q: Floats, motion: Floats, camera: Floats) -> Floats:
    """The first-order distance of the pairs from the motion's epipolar geometry, [n]. The motion must translate.

    Blind to the sign and the length of the translation: see `front_share`.
    """
    direction = motion[:3, 3] / np.linalg.norm(motion[:3, 3])
    inverse = np.linalg.inv(camera)
    fundamental = inverse.T @ _cross(direction) @ motion[:3, :3] @ inverse
    first, second = _homogeneous(p), _homogeneous(q)
    lines_j, lines_i = first @ fundamental.T, second @ fundamental
    error = np.abs((second * lines_j).sum(axis=1))
    slope = np.sqrt((lines_j[:, :2] ** 2).sum(axis=1) + (lines_i[:, :2] ** 2).sum(axis=1))
    return np.asarray(error / slope)


def front_share(p: Floats, q: Floats, motion: Floats, camera: Floats) -> float:
    """The share 0..1 of pairs that lie before both cameras when triangulated; near 0 for the opposite direction."""
    inverse = np.linalg.inv(camera)
    rays_i, rays_j = _homogeneous(p) @ inverse.T, _homogeneous(q) @ inverse.T
    turned = rays_i @ motion[:3, :3].T
    # Depths along both rays by least squares: depth_i * turned + t = depth_j * ray_j.
    sides = np.stack([turned, -rays_j], axis=2)
    depths = np.stack([np.linalg.lstsq(side, -motion[:3, 3], rcond=None)[0] for side in sides])
    return float((depths > 0).all(axis=1).mean())


def parallax_variation(displacements_px: Floats, step_lengths_m: Floats) -> float | None:
    """The coefficient of variation of displacement per commanded metre; high where steps are not of the sent lengths.

    None for fewer than two steps that were to translate.
    """
    moving = step_lengths_m > 0
    ratio = displacements_px[moving] / step_lengths_m[moving]
    return float(ratio.std() / ratio.mean()) if len(ratio) > 1 and ratio.mean() > 0 else None


def _homogeneous(points: Floats) -> Floats:
    return np.column_stack([points, np.ones(len(points))])


def _cross(v: Floats) -> Floats:
    return np.array([[0, -v[2], v[1]], [v[2], 0, -v[0]], [-v[1], v[0], 0]])
