"""What a layer looks like, gathered in its own frame from every real frame, finer than the frames are."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from lingbot_ros.model.rigid_layers.config import RigidLayersConfig
from lingbot_ros.model.rigid_layers.polygon import Floats, nearest, unplace

_SPREADS_PX = ((0.3, 1.0), (1.0, 1e-3), (4.0, 1e-7))
"""Each texel is the mean of what was seen around it; what is farther counts only where nothing near was seen."""

_FAINTEST = 1e-20
"""Of a colour with less weight than this nothing is known."""


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


def develop(paint: Floats, outline: Floats, config: RigidLayersConfig) -> NDArray[np.uint8]:
    """The texture [t, t, 4] that paint and an outline [V, 2] make: colour, and depth as `drawing.draw` reads it."""
    blurred = np.ascontiguousarray(np.moveaxis(paint, 0, -1), np.float32)
    mixed = np.zeros_like(blurred)
    for spread, share in _SPREADS_PX:
        mixed += np.float32(share) * cv2.GaussianBlur(blurred, (0, 0), spread * config.texels)
    flat = paint[:3].sum((1, 2)) / max(paint[3].sum(), 1e-9)
    weight = mixed[..., 3:]
    colour = np.where(weight > _FAINTEST, mixed[..., :3] / np.maximum(weight, _FAINTEST), flat)
    level = 127.5 * (1 + _depth(outline, config) / config.depth_px)
    return np.rint(np.concatenate([colour, level[..., None]], -1)).clip(0, 255).astype(np.uint8)


def _depth(outline: Floats, config: RigidLayersConfig) -> Floats:
    """How deep inside the outline every texel [t, t] is, to `config.depth_px`; measured where that is not plain."""
    side, texels = config.texture_side, config.texels
    corners = (outline + config.extent_px / 2) * texels - 0.5
    filled = cv2.fillPoly(np.zeros((side, side), np.uint8), [np.rint(corners).astype(np.int32)], 1)
    reach = math.ceil(config.depth_px * texels) + 2  # and what rounding can do
    band = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    is_near = (cv2.dilate(filled, band) > 0) & (cv2.erode(filled, band) == 0)
    rows, columns = np.nonzero(is_near)
    points = (np.stack([columns, rows], -1) + 0.5) / texels - config.extent_px / 2
    depth = np.where(filled, config.depth_px, -config.depth_px)
    depth[rows, columns] = np.clip(-nearest(points, outline).distance, -config.depth_px, config.depth_px)
    return depth
