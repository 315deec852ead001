"""What a layer looks like, gathered in its own frame from every real frame, finer than the frames are."""

import cv2
import numpy as np
from numpy.typing import NDArray

from lingbot_ros.model.rigid_layers.config import RigidLayersConfig
from lingbot_ros.model.rigid_layers.polygon import Floats, nearest, unplace
from lingbot_ros.model.rigid_layers.render import DEEPEST

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


def develop(paint: Floats, outline: Floats, config: RigidLayersConfig) -> Floats:
    """The texture [4, t, t] that paint and an outline [V, 2] make."""
    blurred = np.ascontiguousarray(np.moveaxis(paint, 0, -1), np.float32)
    mixed = np.zeros_like(blurred)
    for spread, share in _SPREADS_PX:
        mixed += np.float32(share) * cv2.GaussianBlur(blurred, (0, 0), spread * config.texels)
    flat = paint[:3].sum((1, 2)) / max(paint[3].sum(), 1e-9)
    weight = mixed[..., 3:]
    colour = np.where(weight > _FAINTEST, mixed[..., :3] / np.maximum(weight, _FAINTEST), flat)
    return np.concatenate([np.moveaxis(colour, -1, 0), _depth(outline, config)[None]])


def _depth(outline: Floats, config: RigidLayersConfig) -> Floats:
    """How deep inside the outline every texel [t, t] is, see `render.DEEPEST`; measured where that is not plain."""
    side, texels = config.texture_side, config.texels
    corners = (outline + config.extent_px / 2) * texels - 0.5
    filled = cv2.fillPoly(np.zeros((side, side), np.uint8), [np.rint(corners).astype(np.int32)], 1)
    band = np.ones((2 * texels + 5, 2 * texels + 5), np.uint8)  # a pixel to either side, and what rounding can do
    is_near = (cv2.dilate(filled, band) > 0) & (cv2.erode(filled, band) == 0)
    rows, columns = np.nonzero(is_near)
    points = (np.stack([columns, rows], -1) + 0.5) / texels - config.extent_px / 2
    depth = filled.astype(np.float64) * DEEPEST
    depth[rows, columns] = np.clip(1 - nearest(points, outline).distance, 0, DEEPEST)
    return depth
