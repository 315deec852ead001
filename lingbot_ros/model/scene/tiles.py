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


class Tiles:
    """Sums and weights of colours per texel; `pyramid` is what is drawn from."""

    def __init__(self) -> None:
        self.sums = np.zeros((SURFACES, SIDE, SIDE, 3), np.float32)
        self.weights = np.zeros((SURFACES, SIDE, SIDE), np.float32)
        self._settle()

    def write(self, surface: NDArray[np.uint8], at: Floats, colour: NDArray[np.uint8], footprint_m: Floats) -> None:
        """Add real pixels: surfaces [n], coordinates [n, 2] in metres, colours [n, 3], and how wide pixels are."""
        texel = np.floor(np.mod(at, PERIOD_M) * (SIDE / PERIOD_M)).astype(np.int64) % SIDE
        index = (surface.astype(np.int64) * SIDE + texel[:, 1]) * SIDE + texel[:, 0]
        weight = (0.02 / np.maximum(footprint_m, 0.004)) ** 4
        size = self.weights.size
        self.weights += np.bincount(index, weight, size).astype(np.float32).reshape(self.weights.shape)
        for channel in range(3):
            added = np.bincount(index, weight * colour[:, channel], size).astype(np.float32)
            self.sums[..., channel] += added.reshape(self.weights.shape)
        self._settle()

    def look(self, surface: NDArray[np.uint8], at: Floats, footprint_m: Floats) -> tuple[Floats, NDArray[np.bool_]]:
        """Colours float32 [n, 3], 0..255, of points on surfaces [n] at coordinates [n, 2]; and which are known."""
        colours = np.zeros((len(surface), 3), np.float32)
        known = np.zeros(len(surface), bool)
        level = np.clip(np.log2(np.maximum(footprint_m, 1e-4) * (SIDE / PERIOD_M)), 0, LEVELS - 1.001)
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
        """Sums and weights."""
        return {"sums": torch.from_numpy(self.sums), "weights": torch.from_numpy(self.weights)}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """The reverse of `state`; copies."""
        for name in ("sums", "weights"):
            mine, theirs = getattr(self, name), state[name].numpy()
            if mine.shape != theirs.shape or mine.dtype != theirs.dtype:
                raise ValueError(f"{name} is {theirs.dtype} {list(theirs.shape)}, not {mine.dtype} {list(mine.shape)}")
            setattr(self, name, theirs.copy())
        self._settle()

    def _settle(self) -> None:
        """Derive what is drawn from: gaps filled, then averaged down."""
        seen = (self.weights > 0).mean((1, 2))
        usable = seen > _ENOUGH
        rough = [_without_gaps(self.sums[n], self.weights[n]) for n in range(SURFACES)]
        sharp = self.weights > _SHARP
        full = []
        for number in range(SURFACES):
            others = [n for n in range(WALL, SURFACES) if n != number and usable[n]] if number >= WALL else []
            donors = [number, *sorted(others, key=lambda n: -sharp[n].mean())]
            full.append(_with_texture(rough, sharp, donors) if usable[number] else rough[number])
        self.pyramid = [np.stack(full)]
        for depth in range(1, LEVELS):
            side = SIDE >> depth
            self.pyramid.append(np.stack([cv2.resize(t, (side, side), interpolation=cv2.INTER_AREA) for t in full]))
        walls = [n for n in range(WALL, SURFACES) if usable[n]]
        best = max(walls, key=lambda n: sharp[n].mean()) if walls else None
        self._tile_for: list[int | None] = [n if usable[n] else None for n in (FLOOR, CEILING)]
        self._tile_for += [n if usable[n] else best for n in range(WALL, SURFACES)]


def _with_texture(rough: list[Floats], sharp: NDArray[np.bool_], donors: list[int]) -> Floats:
    """The first donor's tile; where it was seen from afar only, what was seen from near elsewhere.

    Elsewhere is half a tile further on, as most textures repeat twice in it, or on another wall, made as bright.
    """
    first = donors[0]
    result, done = rough[first].copy(), sharp[first].copy()
    for donor in donors:
        gain = rough[first].mean((0, 1)) / np.maximum(rough[donor].mean((0, 1)), 1.0)
        for shift in ((0, 0), (0, 1), (1, 0), (1, 1)):
            if done.all():
                return result
            step = (shift[0] * SIDE // 2, shift[1] * SIDE // 2)
            take = np.roll(sharp[donor], step, (0, 1)) & ~done
            result[take] = (np.roll(rough[donor], step, (0, 1)) * gain)[take]
            done |= take
    return result


def _without_gaps(sums: Floats, weights: Floats) -> Floats:
    if not weights.any():
        return np.zeros_like(sums)
    colour, weight = [sums], [weights]
    while weight[-1].shape[0] > 1:
        colour.append(_sums_of_four(colour[-1]))
        weight.append(_sums_of_four(weight[-1]))
    filled = colour[-1] / np.maximum(weight[-1], 1e-20)[..., None]
    for c, w in zip(colour[-2::-1], weight[-2::-1], strict=True):
        filled = filled.repeat(2, 0).repeat(2, 1)
        there = w > 0
        filled[there] = c[there] / w[there][:, None]
    return np.asarray(filled, np.float32)


def _sums_of_four(x: Floats) -> Floats:
    return np.asarray(x[::2, ::2] + x[::2, 1::2] + x[1::2, ::2] + x[1::2, 1::2])


def _sample(tile: Floats, texel: Floats) -> Floats:
    """Bilinear, wrapping around: tile [s, s, 3], places [n, 2] in texels."""
    side = tile.shape[0]
    place = texel - np.float32(0.5)
    low = np.floor(place)
    share = (place - low).astype(np.float32)
    x, y = (low[:, 0].astype(int) % side, low[:, 1].astype(int) % side)
    x1, y1 = (x + 1) % side, (y + 1) % side
    sx, sy = share[:, :1], share[:, 1:]
    top = tile[y, x] * (1 - sx) + tile[y, x1] * sx
    bottom = tile[y1, x] * (1 - sx) + tile[y1, x1] * sx
    return np.asarray(top * (1 - sy) + bottom * sy, np.float32)
