"""A pinhole camera: pixels -> viewing rays, world points -> pixels. Poses are camera-to-world: right, down, forward."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
"""float32 where nothing else is said."""
Pose = NDArray[np.float64]
"""float64 [4, 4], metres."""


@dataclass(frozen=True)
class Pinhole:
    """fx, fy, cx, cy in pixels of frames of height x width; the centre of the upper left pixel is (0.5, 0.5)."""

    fx: float
    fy: float
    cx: float
    cy: float
    height: int
    width: int

    def rays(self) -> Floats:
        """Viewing directions with z = 1: float32 [H, W, 3]."""
        x = (np.arange(self.width, dtype=np.float32) + 0.5 - np.float32(self.cx)) / np.float32(self.fx)
        y = (np.arange(self.height, dtype=np.float32) + 0.5 - np.float32(self.cy)) / np.float32(self.fy)
        rays = np.ones((self.height, self.width, 3), np.float32)
        rays[..., 0], rays[..., 1] = x, y[:, None]
        return rays

    def project(self, points: Floats, pose: Pose) -> tuple[Floats, Floats, Floats]:
        """World points [..., 3] -> column and row in pixels, and distance along the axis in metres.

        Columns and rows mean nothing where the distance is not positive.
        """
        return self._pixels(*in_camera(points, pose))

    def project_from(self, rays: Floats, distance: Floats, taken_at: Pose, pose: Pose) -> tuple[Floats, Floats, Floats]:
        """`project` for `pose` of what a camera at `taken_at` sees along `rays` [3, n] at `distance` [n]: each [n]."""
        turn = (pose[:3, :3].T @ taken_at[:3, :3]).astype(np.float32)
        shift = (pose[:3, :3].T @ (taken_at[:3, 3] - pose[:3, 3])).astype(np.float32)
        return self._pixels(*((turn @ rays) * distance + shift[:, None]))

    def _pixels(self, x: Floats, y: Floats, z: Floats) -> tuple[Floats, Floats, Floats]:
        near = np.maximum(z, np.float32(1e-3))
        return (
            x / near * np.float32(self.fx) + np.float32(self.cx),
            y / near * np.float32(self.fy) + np.float32(self.cy),
            z,
        )


def to_world(points: Floats, pose: Pose) -> Floats:
    """Points [..., 3] in the camera's axes -> in the world's."""
    rotation, position = pose[:3, :3].astype(np.float32), pose[:3, 3].astype(np.float32)
    return np.asarray(points @ rotation.T + position, np.float32)


def in_camera(points: Floats, pose: Pose) -> tuple[Floats, Floats, Floats]:
    """World points [..., 3] -> right, down, forward in metres."""
    rotation = pose[:3, :3].astype(np.float32)
    x, y, z = np.moveaxis((points - pose[:3, 3].astype(np.float32)) @ rotation, -1, 0)
    return x, y, z


def level(pose: Pose) -> Pose:
    """The pose without pitch and roll: world y points down."""
    forward = pose[:3, 2] * np.array([1.0, 0.0, 1.0])
    if np.linalg.norm(forward) < 1e-3:  # looks straight up or down: keep what is upright in the image
        forward = -np.sign(pose[1, 2]) * pose[:3, 1] * np.array([1.0, 0.0, 1.0])
    forward /= np.linalg.norm(forward)
    down = np.array([0.0, 1.0, 0.0])
    result = np.eye(4)
    result[:3, 0], result[:3, 1], result[:3, 2], result[:3, 3] = np.cross(down, forward), down, forward, pose[:3, 3]
    return result


def turned(pose: Pose, yaw_rad: float) -> Pose:
    """The pose turned to its right about the world's vertical, in place."""
    c, s = np.cos(yaw_rad), np.sin(yaw_rad)
    result = pose.copy()
    result[:3, :3] = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]) @ pose[:3, :3]
    return result
