"""What a layer looks like, gathered in its own frame from every real frame, finer than the frames are."""

import cv2
import numpy as np
from numpy.typing import NDArray

from lingbot_ros.model.rigid_layers.config import RigidLayersConfig
from lingbot_ros.model.rigid_layers.polygon import Floats, nearest, unplace
from lingbot_ros.model.rigid_layers.render import DEEPEST

_SPREADS_PX = ((0.3, 1.0), (1.0, 1e-3), (4.0, 1e-7))
"""Each texel is the mean of what was seen around it; what is farther counts only where nothing near was seen."""


def gather(
    paint: Floats, colour: Floats, certain: NDArray[np.bool_], pose: Floats, config: RigidLayersConfig
) -> Floats:
    """`paint` [4, t, t] with the pixels of one more frame: colour [H, W, 3], which of them are `certain` [H, W]."""
    side = config.texture_side
    rows, columns = np.nonzero(certain)
    local = unplace(np.stack([columns, rows], -1).astype(np.float64), pose)
    at = (local + config.extent_px / 2) * config.texels - 0.5
    whole = np.floor(at).astype(int)
    part = at - whole
    gathered = paint.copy()
    seen = np.concatenate([colour[rows, columns], np.ones((len(rows), 1))], -1)
    for dx in (0, 1):
        for dy in (0, 1):
            x, y = whole[:, 0] + dx, whole[:, 1] + dy
            weight = np.abs(1 - dx - part[:, 0]) * np.abs(1 - dy - part[:, 1])
            fits = (x >= 0) & (x < side) & (y >= 0) & (y < side)
            for channel in range(4):
                np.add.at(gathered[channel], (y[fits], x[fits]), (weight * seen[:, channel])[fits])
    return gathered


def develop(paint: Floats, outline: Floats, config: RigidLayersConfig) -> Floats:
    """The texture [4, t, t] that paint and an outline [V, 2] make."""
    side, texels = config.texture_side, config.texels
    mixed = np.zeros((side, side, 4))
    for spread, share in _SPREADS_PX:
        mixed += share * cv2.GaussianBlur(np.moveaxis(paint, 0, -1), (0, 0), spread * texels)
    flat = paint[:3].sum((1, 2)) / max(paint[3].sum(), 1e-9)
    colour = np.where(mixed[..., 3:] > 1e-30, mixed[..., :3] / np.maximum(mixed[..., 3:], 1e-30), flat)
    at = (np.arange(side) + 0.5) / texels - config.extent_px / 2
    points = np.stack(np.meshgrid(at, at), -1).reshape(-1, 2)
    depth = np.clip(1 - nearest(points, outline).distance, 0, DEEPEST).reshape(side, side)
    return np.concatenate([np.moveaxis(colour, -1, 0), depth[None]])
