"""What a model is held against: the last frame repeated, the last frame turned, and true depth as the best there is."""

import cv2
import numpy as np
from numpy.typing import NDArray

from lingbot_ros.model.scene.camera import Pinhole, to_world
from lingbot_ros.model.scene.keyframes import Keyframe
from lingbot_ros.model.scene.painter import nearest_filled
from lingbot_ros.model.scene.render import Renderer
from lingbot_ros.model.scene.surfaces import NONE
from lingbot_ros.tasks.rooms.dataset.episode import Episode

Frame = NDArray[np.uint8]
_SAME_SHARE, _SAME_M = 0.03, 0.03
_DOWN = np.diag([1.0, -1.0, -1.0, 1.0])
"""MiniWorld's axes, y up -> y down."""


class TrueScene:
    """The context frames of an episode with their true depth."""

    def __init__(self, episode: Episode, context: int) -> None:
        """The first `context` frames are known."""
        fx, fy, cx, cy = episode.intrinsics
        height, width = episode.depth.shape[1:]
        self._lens = Pinhole(fx, fy, cx, cy, height, width)
        self._episode, self._context = episode, context
        self._poses = _DOWN @ episode.poses
        self._renderer, self._rays = Renderer(self._lens), self._lens.rays()
        nothing = np.full((height, width), NONE, np.uint8)
        disparity = 1 / np.maximum(episode.depth[:context], 0.05)
        self._sources = [
            Keyframe(episode.frames[t], disparity[t], nothing, self._poses[t]) for t in range(context - 1, -1, -1)
        ]

    def in_view(self, frame: int) -> NDArray[np.bool_]:
        """Which pixels of frame number `frame` show a surface that a context frame shows, too: bool [H, W]."""
        depth = self._episode.depth[frame]
        points = to_world(self._rays * depth[..., None], self._poses[frame])
        seen = np.zeros(depth.shape, bool)
        for t in range(self._context):
            column, row, z = self._lens.project(points, self._poses[t])
            there = cv2.remap(
                self._episode.depth[t],
                (column - 0.5).astype(np.float32),
                (row - 0.5).astype(np.float32),
                cv2.INTER_NEAREST,
                borderMode=cv2.BORDER_CONSTANT,
                borderValue=-1,
            )
            seen |= (z > 0.05) & (np.abs(there - z) < _SAME_SHARE * z + _SAME_M)
        return seen

    def warped(self, frame: int) -> Frame:
        """The context seen from that frame's pose by true depth; holes take the nearest colour."""
        view = self._renderer.render(self._sources[:4], self._poses[frame])
        return nearest_filled(view.colour, view.known)

    def rotated(self, frame: int) -> Frame:
        """The last context frame turned as the camera turned, as if everything were far away."""
        last = self._poses[self._context - 1]
        turn = last[:3, :3].T @ self._poses[frame][:3, :3]
        ray = self._rays @ turn.T.astype(np.float32)
        ahead = np.maximum(ray[..., 2], 1e-3)
        lens = self._lens
        column = (ray[..., 0] / ahead * lens.fx + lens.cx - 0.5).astype(np.float32)
        row = (ray[..., 1] / ahead * lens.fy + lens.cy - 0.5).astype(np.float32)
        image = cv2.remap(self._sources[0].colour, column, row, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        inside = (ray[..., 2] > 0.01) & (column > -1) & (column < lens.width) & (row > -1) & (row < lens.height)
        return nearest_filled(np.asarray(image, np.uint8), inside)
