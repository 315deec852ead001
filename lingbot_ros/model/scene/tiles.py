"""What the surfaces of a session look like: one tile of 2 x 2 m for each, repeated for ever.

Only real images write tiles, so that colours cannot drift. Texels seen from near count far more than from afar.
"""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lingbot_ros.model.scene.camera import Floats
from lingbot_ros.model.scene.surfaces import CEILING, FLOOR, SURFACES, WALL

SIDE = 128
PERIOD_M = 2.0
LEVELS = 5
_ENOUGH = 0.03
"""The share of a tile's texels that must have been seen before it is used."""
_SHARP = 0.1
"""The weight of a texel that was seen from near enough to show its texture: pixels of 3.5 cm."""
_SHARP_SHARE = 0.5
"""A wall whose share of such texels is less than this part of the best wall's takes that one's texture."""
_SHARPER = 1.0
"""Levels of the pyramid by which textures are drawn finer than their footprint: what is drawn is sampled once more."""


class Tiles:
    """Colours and weights per texel; `pyramid` is what is drawn from."""

    def __init__(self) -> None:
        self.colour = np.zeros((SURFACES, SIDE, SIDE, 3), np.float32)
        self.weights = np.zeros((SURFACES, SIDE, SIDE), np.float32)
        self._settle()

    def write(self, surface: NDArray[np.uint8], at: Floats, colour: NDArray[np.uint8], footprint_m: Floats) -> None:
        """Add real pixels: surfaces [n], coordinates [n, 2] in metres, colours [n, 3], and how wide pixels are."""
        texel = np.floor(np.mod(at, PERIOD_M) * (SIDE / PERIOD_M)).astype(np.int64) % SIDE
        index = (surface.astype(np.int64) * SIDE + texel[:, 1]) * SIDE + texel[:, 0]
        weight = (0.02 / np.maximum(footprint_m, 0.004)) ** 4
        size, shape = self.weights.size, self.weights.shape
        count = np.maximum(np.bincount(index, minlength=size), 1).reshape(shape)
        total = np.bincount(index, weight, size).reshape(shape)
        # One image a texel: the mean of two whose depth differs is blurred.
        better = total / count > 1.5 * self.weights
        for channel in range(3):
            added = np.bincount(index, weight * colour[:, channel], size).reshape(shape)
            self.colour[..., channel][better] = (added / np.maximum(total, 1e-20))[better]
        self.weights[better] = (total / count)[better]
        self._settle()

    def look(self, surface: NDArray[np.uint8], at: Floats, footprint_m: Floats) -> tuple[Floats, NDArray[np.bool_]]:
        """Colours float32 [n, 3], 0..255, of points on surfaces [n] at coordinates [n, 2]; and which are known."""
        colours = np.zeros((len(surface), 3), np.float32)
        known = np.zeros(len(surface), bool)
        level = np.clip(np.log2(np.maximum(footprint_m, 1e-4) * (SIDE / PERIOD_M)) - _SHARPER, 0, LEVELS - 1.001)
        texel = np.mod(at, PERIOD_M) * np.float32(SIDE / PERIOD_M)
        for number in range(SURFACES):
            tile = self._tile_for[number]
            mine = np.flatnonzero(surface == number)
            if tile is None or not len(mine):
                continue
            known[mine] = True
            lower = np.floor(level[mine]).astype(int)
            share = (level[mine] - lower).astype(np.float32)[:, None]
            for depth in range(LEVELS):
                for which, weight in ((lower, 1 - share), (lower + 1, share)):
                    at_level = which == depth
                    if at_level.any():
                        found = _sample(self.pyramid[depth][tile], texel[mine[at_level]] / np.float32(2**depth))
                        colours[mine[at_level]] += weight[at_level] * found
        return colours, known

    def state(self) -> dict[str, Tensor]:
        """Colours and weights."""
        return {"colour": torch.from_numpy(self.colour), "weights": torch.from_numpy(self.weights)}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """The reverse of `state`; copies."""
        for name in ("colour", "weights"):
            mine, theirs = getattr(self, name), state[name].numpy()
            if mine.shape != theirs.shape or mine.dtype != theirs.dtype:
                raise ValueError(f"{name} is {theirs.dtype} {list(theirs.shape)}, not {mine.dtype} {list(mine.shape)}")
            setattr(self, name, theirs.copy())
        self._settle()

    def _settle(self) -> None:
        """Derive what is drawn from: gaps filled, then averaged down."""
        usable = (self.weights > 0).mean((1, 2)) > _ENOUGH
        sharp = (self.weights > _SHARP).mean((1, 2))
        rough = [_without_gaps(self.colour[n], self.weights[n]) for n in range(SURFACES)]
        walls = [n for n in range(WALL, SURFACES) if usable[n]]
        best = max(walls, key=lambda n: float(sharp[n])) if walls else None
        full = [_repeated(rough[n], self.weights[n] > _SHARP) for n in range(SURFACES)]
        for number in walls:
            if best is not None and sharp[number] < _SHARP_SHARE * sharp[best]:
                gain = rough[number].mean((0, 1)) / np.maximum(full[best].mean((0, 1)), 1.0)
                full[number] = np.clip(full[best] * gain, 0, 255)
        self.pyramid = [np.stack(full)]
        for depth in range(1, LEVELS):
            side = SIDE >> depth
            self.pyramid.append(np.stack([cv2.resize(t, (side, side), interpolation=cv2.INTER_AREA) for t in full]))
        self._tile_for: list[int | None] = [n if usable[n] else None for n in (FLOOR, CEILING)]
        self._tile_for += [n if usable[n] else best for n in range(WALL, SURFACES)]


def _repeated(tile: Floats, sharp: NDArray[np.bool_]) -> Floats:
    """The tile; what was seen from afar only is taken from half a tile further on, as most textures repeat twice."""
    result, done = tile.copy(), sharp.copy()
    for shift in ((0, 1), (1, 0), (1, 1)):
        step = (shift[0] * SIDE // 2, shift[1] * SIDE // 2)
        take = np.roll(sharp, step, (0, 1)) & ~done
        result[take] = np.roll(tile, step, (0, 1))[take]
        done |= take
    return result


def _without_gaps(colour: Floats, weights: Floats) -> Floats:
    """Texels without weight take the mean colour of those around them."""
    if not weights.any():
        return np.zeros_like(colour)
    there = (weights > 0).astype(np.float32)
    sums, counts = [colour * there[..., None]], [there]
    while counts[-1].shape[0] > 1:
        sums.append(_sums_of_four(sums[-1]))
        counts.append(_sums_of_four(counts[-1]))
    filled = sums[-1] / np.maximum(counts[-1], 1)[..., None]
    for total, count in zip(sums[-2::-1], counts[-2::-1], strict=True):
        filled = filled.repeat(2, 0).repeat(2, 1)
        filled[count > 0] = total[count > 0] / count[count > 0][:, None]
    return np.asarray(filled, np.float32)


def _sums_of_four(x: Floats) -> Floats:
    return np.asarray(x[::2, ::2] + x[::2, 1::2] + x[1::2, ::2] + x[1::2, 1::2])


def _sample(tile: Floats, texel: Floats) -> Floats:
    """Bilinear, wrapping around: tile [s, s, 3], places [n, 2] in texels."""
    # A picture of n pixels, as OpenCV takes no side of more than 32767.
    lines = -(-len(texel) // SIDE)
    place = np.resize(texel.astype(np.float32) - np.float32(0.5), (lines, SIDE, 2))
    found = cv2.remap(tile, place[..., 0], place[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return np.asarray(found.reshape(-1, 3)[: len(texel)])
