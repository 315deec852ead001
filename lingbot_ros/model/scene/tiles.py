"""What the surfaces of a session look like: one tile of 2 x 2 m for each, repeated for ever.

Only real images write tiles, so that colours cannot drift. Texels seen from near count far more than from afar.
"""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lingbot_ros.model.scene.camera import Floats
from lingbot_ros.model.scene.surfaces import SURFACES, WALL

SIDE = 128
PERIOD_M = 2.0
LEVELS = 5
_ENOUGH = 0.03
"""The share of a tile's texels that must have been seen before it is used."""
_SHARP = 0.1
"""The weight of a texel that was seen from near enough to show its texture: pixels of 3.5 cm."""
_SHARP_SHARE = 0.5
"""A wall whose share of such texels is less than this part of the best wall's takes that one's texture."""
_REACH, _SHIFT, _OVERLAP = 5, 4, 100
"""What is so near to seen texels is mixed of them; steps of shifts, and how many texels must be compared for one."""
_SHADE = 0.9
_SHARPER = 1.0
"""Levels of the pyramid by which textures are drawn finer than their footprint: what is drawn is sampled once more."""


class Tiles:
    """Colours and weights per texel; what is drawn is derived from them."""

    def __init__(self) -> None:
        self.colour = np.zeros((SURFACES, SIDE, SIDE, 3), np.float32)
        self.weights = np.zeros((SURFACES, SIDE, SIDE), np.float32)
        self._is_settled = False

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
        self._is_settled = False

    def look(self, surface: NDArray[np.uint8], at: Floats, footprint_m: Floats) -> tuple[Floats, NDArray[np.bool_]]:
        """Colours float32 [n, 3], 0..255, of points on surfaces [n] at coordinates [n, 2]; and which are known."""
        self.settle()
        tile = self._tile_for[surface]
        known = tile >= 0
        level = np.log2(np.maximum(footprint_m, 1e-4) * np.float32(SIDE / PERIOD_M)) - np.float32(_SHARPER)
        level = np.clip(level, 0, LEVELS - 1).astype(np.float32)
        texel = np.mod(at, PERIOD_M).astype(np.float32) * np.float32(SIDE / PERIOD_M)
        colours = np.zeros((len(surface), 3), np.float32)
        for depth, atlas in enumerate(self._atlases):
            weight = np.maximum(1 - np.abs(level - np.float32(depth)), 0) * known
            if weight.any():
                side = SIDE >> depth
                x = texel[:, 0] / np.float32(2**depth) + np.float32(0.5)
                y = texel[:, 1] / np.float32(2**depth) + (tile * (side + 2)).astype(np.float32) + np.float32(0.5)
                colours += weight[:, None] * _sample(atlas, x, y)
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
        self._is_settled = False

    def settle(self) -> None:
        """Derive what is drawn from: gaps filled, then averaged down. Costs 70 ms, so it waits for the next `look`."""
        if self._is_settled:
            return
        usable = (self.weights > 0).mean((1, 2)) > _ENOUGH
        sharp = (self.weights > _SHARP).mean((1, 2))
        rough = [_repeated_where_unseen(self.colour[n], self.weights[n]) for n in range(SURFACES)]
        walls = [n for n in range(WALL, SURFACES) if usable[n]]
        best = max(walls, key=lambda n: float(sharp[n])) if walls else None
        full = [_repeated(rough[n], self.weights[n] > _SHARP) for n in range(SURFACES)]
        for number in walls:
            if best is not None and sharp[number] < _SHARP_SHARE * sharp[best]:
                gain = rough[number].mean((0, 1)) / np.maximum(full[best].mean((0, 1)), 1.0)
                full[number] = np.clip(full[best] * gain, 0, 255)
        if best is not None:
            for number, level in _levels({n: float(full[n].mean()) for n in walls}).items():
                full[number] = np.clip(full[best] * (level / max(float(full[best].mean()), 1.0)), 0, 255)
        seen = self.weights > 0
        for number in range(SURFACES):
            if seen.any() and not seen[number].any() and (best is None or number < WALL):
                full[number] = np.full_like(full[number], self.colour[seen].mean())  # grey, for want of anything known
        self._atlases = [_atlas(full)]
        for depth in range(1, LEVELS):
            side = SIDE >> depth
            self._atlases.append(_atlas([_shrunk(t, side) for t in full]))
        self._tile_for = np.full(256, -1)
        self._tile_for[:SURFACES] = np.arange(SURFACES) if seen.any() else -1
        self._is_settled = True


def _levels(seen: dict[int, float]) -> dict[int, float]:
    """How bright walls are that nobody saw, by number, from those that were seen.

    Light that falls on a wall does not fall on the one opposite, which is as bright as those beside it. Where only
    walls of one direction were seen those across are a little darker, so that corners show.
    """
    levels = {}
    for number in range(WALL, SURFACES):
        beside = [level for n, level in seen.items() if (n - number) % 2]
        opposite = [level for n, level in seen.items() if n != number and (n - number) % 2 == 0]
        if number not in seen:
            levels[number] = float(np.mean(beside or opposite)) * (1.0 if opposite else _SHADE)
    return levels


def _atlas(tiles: list[Floats]) -> Floats:
    """Tiles one below the other, each with a rim of what it goes on with."""
    return np.concatenate([np.pad(tile, ((1, 1), (1, 1), (0, 0)), mode="wrap") for tile in tiles]).astype(np.float32)


def _repeated(tile: Floats, sharp: NDArray[np.bool_]) -> Floats:
    """The tile; what was seen from afar only is taken from half a tile further on, as most textures repeat twice."""
    result, done = tile.copy(), sharp.copy()
    for shift in ((0, 1), (1, 0), (1, 1)):
        step = (shift[0] * SIDE // 2, shift[1] * SIDE // 2)
        take = np.roll(sharp, step, (0, 1)) & ~done
        result[take] = np.roll(tile, step, (0, 1))[take]
        done |= take
    return result


def _repeated_where_unseen(colour: Floats, weights: Floats) -> Floats:
    """A whole tile: what nobody saw is taken from where the texture looks most like itself, shifted."""
    whole = _without_gaps(colour, weights)
    seen = weights > 0
    if not seen.any():
        return whole
    near = cv2.distanceTransform(np.pad((~seen).astype(np.uint8), _REACH, mode="wrap"), cv2.DIST_L2, 3)
    done = near[_REACH:-_REACH, _REACH:-_REACH] <= _REACH
    if done.all():
        return whole
    small, there = whole[::2, ::2], done[::2, ::2]
    likeness = []
    for down in range(0, SIDE // 2, _SHIFT):
        for right in range(0, SIDE // 2, _SHIFT):
            both = there & np.roll(there, (down, right), (0, 1))
            if (down or right) and both.sum() > _OVERLAP:
                gap = np.abs(small - np.roll(small, (down, right), (0, 1)))[both].mean()
                likeness.append((float(gap), 2 * down, 2 * right))
    result = whole.copy()
    for _, down, right in sorted(likeness):
        while True:  # again and again: a texture that is like itself so far on is so twice as far on, too
            take = np.roll(done, (down, right), (0, 1)) & ~done
            if not take.any():
                break
            result[take] = np.roll(result, (down, right), (0, 1))[take]
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


def _shrunk(tile: Floats, side: int) -> Floats:
    return np.asarray(cv2.resize(tile, (side, side), interpolation=cv2.INTER_AREA), np.float32)


def _sample(atlas: Floats, x: Floats, y: Floats) -> Floats:
    """Bilinear, at places [n] in texels of an atlas."""
    # A picture of n pixels, as OpenCV takes no side of more than 32767.
    lines = -(-len(x) // SIDE)
    at_x, at_y = (np.resize(values.astype(np.float32), (lines, SIDE)) for values in (x, y))
    return np.asarray(cv2.remap(atlas, at_x, at_y, cv2.INTER_LINEAR).reshape(-1, 3)[: len(x)])
