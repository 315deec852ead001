"""Drawing compiled to machine code by numba: pixel by pixel, and only those that a layer covers.

Import it where something is drawn, not before: that takes a while.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lingbot_ros.model.rigid_layers.compiled import keeping

_TEXELS_PER_CACHE_LINE = 16
_INSIDE = 1e-3
"""So many texels from the rim of a texture, rounding does not lead out of it."""


@njit(error_model="numpy")
def _box(outline: NDArray[np.float32], spare: float, most: float) -> tuple[float, float, float, float]:
    """What a layer covers in its own frame: left, right, top, bottom of its outline and so much to spare, at most."""
    left, right, top, bottom = 0.0, 0.0, 0.0, 0.0
    for i in range(len(outline)):
        x, y = outline[i, 0], outline[i, 1]
        left, right, top, bottom = min(left, x), max(right, x), min(top, y), max(bottom, y)
    return max(left - spare, -most), min(right + spare, most), max(top - spare, -most), min(bottom + spare, most)


@njit(error_model="numpy")
def _fetch(texture: NDArray[np.uint8], left: int, right: int, top: int, bottom: int) -> int:
    """Read a box of a texture once, a byte of every cache line: the memory gives many lines at a time, where pixels
    would ask for them one by one. Returns a sum, so that the compiler does not leave the reading out.
    """
    total = 0
    for line in range(top, bottom):
        for column in range(left, right, _TEXELS_PER_CACHE_LINE):
            total += texture[line, column, 0]
    return total


@keeping("int64(float32[:,:,:], float32[:,:,:,:], uint8[:,:,:,:,::1], float64, float64, float64, uint8[:,:,:,::1])")
def draw(
    poses: NDArray[np.float32],
    outlines: NDArray[np.float32],
    textures: NDArray[np.uint8],
    texels: float,
    depth_px: float,
    ramp_px: float,
    images: NDArray[np.uint8],
) -> int:
    """Draw K layers onto each of B images uint8 [B, H, W, 3] in place, the first one on top.

    poses [B, K, 3] as drawn; outlines [B, K, V, 2]; textures [B, K, t, t, 4] with so many texels per pixel, sampled
    bilinearly: colour, and the depth inside the outline from -depth_px to depth_px as 0 to 255; ramp_px: how wide an
    edge is drawn. Returns a number without a meaning, see `_fetch`.
    """
    height, width, side = images.shape[1], images.shape[2], textures.shape[3]
    middle, fetched = 0.5 * (side - 1), 0
    most = (middle - _INSIDE) / texels
    on_outline, cover_per_level = np.float32(127.5), np.float32(depth_px / 127.5 / ramp_px)
    for row in range(len(images)):
        for layer in range(textures.shape[1] - 1, -1, -1):
            texture = textures[row, layer]
            left, right, top, bottom = _box(outlines[row, layer], depth_px, most)
            first_x, first_y = int(left * texels + middle), int(top * texels + middle)
            last_x, last_y = int(right * texels + middle) + 1, int(bottom * texels + middle) + 1
            fetched += _fetch(texture, first_x, min(last_x + 1, side), first_y, min(last_y + 1, side))
            reach = math.hypot(max(-left, right), max(-top, bottom))
            place_x, place_y, turn = float(poses[row, layer, 0]), float(poses[row, layer, 1]), poses[row, layer, 2]
            cosine, sine = math.cos(float(turn)), math.sin(float(turn))
            for line in range(max(0, math.ceil(place_y - reach)), min(height, math.floor(place_y + reach) + 1)):
                for column in range(max(0, math.ceil(place_x - reach)), min(width, math.floor(place_x + reach) + 1)):
                    x = cosine * (column - place_x) + sine * (line - place_y)
                    y = cosine * (line - place_y) - sine * (column - place_x)
                    if x < left or x >= right or y < top or y >= bottom:
                        continue
                    at_x, at_y = x * texels + middle, y * texels + middle
                    texel_x, texel_y = int(at_x), int(at_y)
                    first_depth = texture[texel_y, texel_x, 3]
                    if first_depth == 0:  # as far out as a texture tells, so that its neighbours are outside, too
                        continue
                    right_share, lower_share = np.float32(at_x - texel_x), np.float32(at_y - texel_y)
                    of_lower_right = right_share * lower_share
                    of_upper_right, of_lower_left = right_share - of_lower_right, lower_share - of_lower_right
                    of_upper_left = np.float32(1) - right_share - of_lower_left
                    upper_left, upper_right = texture[texel_y, texel_x], texture[texel_y, texel_x + 1]
                    lower_left, lower_right = texture[texel_y + 1, texel_x], texture[texel_y + 1, texel_x + 1]
                    cover = np.float32(1)
                    if first_depth < 255:
                        depth = (
                            of_upper_left * upper_left[3]
                            + of_upper_right * upper_right[3]
                            + of_lower_left * lower_left[3]
                            + of_lower_right * lower_right[3]
                        )
                        cover = min(np.float32(0.5) + (depth - on_outline) * cover_per_level, np.float32(1))
                        if cover <= 0:
                            continue
                    for channel in range(3):
                        seen = (
                            of_upper_left * upper_left[channel]
                            + of_upper_right * upper_right[channel]
                            + of_lower_left * lower_left[channel]
                            + of_lower_right * lower_right[channel]
                        )
                        behind = np.float32(images[row, line, column, channel])
                        images[row, line, column, channel] = np.uint8(
                            behind + cover * (seen - behind) + np.float32(0.5)
                        )
    return fetched
