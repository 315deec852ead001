"""Drawing compiled to machine code by numba: pixel by pixel, and only those that a layer covers.

Import it where something is drawn, not before: that takes a while.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lingbot_ros.model.rigid_layers.compiled import keeping

_SPARE_PX = 2.0
"""How much farther than its outline a layer is drawn: its soft edge."""


@njit(error_model="numpy")
def _box(outline: NDArray[np.float32]) -> tuple[float, float, float, float]:
    """What a layer covers in its own frame: left, right, top, bottom."""
    left, right, top, bottom = 0.0, 0.0, 0.0, 0.0
    for i in range(len(outline)):
        x, y = outline[i, 0], outline[i, 1]
        left, right, top, bottom = min(left, x), max(right, x), min(top, y), max(bottom, y)
    return left - _SPARE_PX, right + _SPARE_PX, top - _SPARE_PX, bottom + _SPARE_PX


@njit(error_model="numpy")
def _between(texels: NDArray[np.float32], x: int, y: int, right_share: float, lower_share: float) -> float:
    """Bilinear, from texel x, y and those to the right of it and below."""
    upper = (1 - right_share) * texels[y, x] + right_share * texels[y, x + 1]
    lower = (1 - right_share) * texels[y + 1, x] + right_share * texels[y + 1, x + 1]
    return (1 - lower_share) * upper + lower_share * lower


@keeping("void(float32[:,:,:], float32[:,:,:,:], float32[:,:,:,:,::1], float64, float64, uint8[:,:,:,::1])")
def draw(
    poses: NDArray[np.float32],
    outlines: NDArray[np.float32],
    textures: NDArray[np.float32],
    texels: float,
    ramp_px: float,
    images: NDArray[np.uint8],
) -> None:
    """Draw K layers onto each of B images uint8 [B, H, W, 3] in place, the first one on top.

    poses [B, K, 3] as drawn; outlines [B, K, V, 2]; textures [B, K, 4, t, t] with so many texels per pixel, sampled
    bilinearly; ramp_px: how wide an edge is drawn.
    """
    height, width, side = images.shape[1], images.shape[2], textures.shape[4]
    for row in range(len(images)):
        for layer in range(textures.shape[1] - 1, -1, -1):
            texture = textures[row, layer]
            left, right, top, bottom = _box(outlines[row, layer])
            reach = math.hypot(max(-left, right), max(-top, bottom))
            place_x, place_y, turn = float(poses[row, layer, 0]), float(poses[row, layer, 1]), poses[row, layer, 2]
            cosine, sine = math.cos(float(turn)), math.sin(float(turn))
            for line in range(max(0, math.ceil(place_y - reach)), min(height, math.floor(place_y + reach) + 1)):
                for column in range(max(0, math.ceil(place_x - reach)), min(width, math.floor(place_x + reach) + 1)):
                    x = cosine * (column - place_x) + sine * (line - place_y)
                    y = cosine * (line - place_y) - sine * (column - place_x)
                    if x < left or x > right or y < top or y > bottom:
                        continue
                    at_x, at_y = x * texels + 0.5 * (side - 1), y * texels + 0.5 * (side - 1)
                    texel_x, texel_y = math.floor(at_x), math.floor(at_y)
                    if texel_x < 0 or texel_y < 0 or texel_x + 1 >= side or texel_y + 1 >= side:
                        continue
                    right_share, lower_share = at_x - texel_x, at_y - texel_y
                    depth = _between(texture[3], texel_x, texel_y, right_share, lower_share)
                    cover = min(0.5 + (depth - 1) / ramp_px, 1.0)
                    if cover <= 0:
                        continue
                    for channel in range(3):
                        seen = _between(texture[channel], texel_x, texel_y, right_share, lower_share)
                        behind = images[row, line, column, channel]
                        images[row, line, column, channel] = np.rint(behind + cover * (seen - behind))
