"""Reads pusher and block off a Push-T image, real or imagined; the same eyes judge both.

The scene is flat colours on white, so every pixel is a mixture of four known ones; solving for the mixture gives each
thing's share of the pixel, which is what makes sub-pixel positions possible. Nothing here knows the true state.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lingbot_ros.tasks.pusht.geometry import to_units

Floats = NDArray[np.float64]

# White table, goal, block, pusher; the last two as the mean of their fill and their darker rim.
_COLOURS = np.array([(255, 255, 255), (144, 238, 144), (139, 158, 178), (72, 116, 241)], np.float64)
UNMIX = np.linalg.inv(np.vstack([_COLOURS.T, np.full(4, 255.0)]))
"""Float64 [4, 4]: red, green, blue and 255 of a pixel -> its shares of table, goal, block and pusher."""

_PUSHER_REACH_PX = 5.0
_PUSHER_LEAST_PX = 5.0
_BLOCK_LEAST_PX = 20


@dataclass(frozen=True)
class Shares:
    """How much of each pixel is pusher and block: float64 [H, W], 0..1."""

    pusher: Floats
    block: Floats

    @property
    def block_mask(self) -> NDArray[np.bool_]:
        """Pixels that are mostly block: bool [H, W]. What the pusher hides is not in it."""
        return self.block > 0.5

    @property
    def unknown(self) -> NDArray[np.bool_]:
        """Pixels in which the pusher hides whether there is block: bool [H, W]."""
        return self.pusher > 0.2


def read_shares(frame: NDArray[np.uint8]) -> Shares:
    """Unmix an RGB image uint8 [H, W, 3]."""
    pixels = np.concatenate([frame.astype(np.float64), np.full((*frame.shape[:2], 1), 255.0)], axis=-1)
    shares = np.clip(pixels @ UNMIX.T, 0.0, 1.0)
    return Shares(pusher=shares[..., 3], block=shares[..., 2])


def pusher_centre(shares: Shares) -> Floats:
    """The pusher's centre [2] = (x, y) in pixels (centre of the first pixel = 0); NaN when there is none to be seen."""
    density = cv2.blur(shares.pusher, (5, 5))
    y, x = np.unravel_index(int(density.argmax()), density.shape)
    centre = np.array([x, y], np.float64)
    rows, columns = np.indices(shares.pusher.shape)
    # A share of a tenth is colour noise of the block's edge, spread over many pixels: left in, it would draw the mean.
    weight = np.clip((shares.pusher - 0.1) / 0.9, 0.0, None)
    for _ in range(3):
        near = weight * (np.hypot(columns - centre[0], rows - centre[1]) <= _PUSHER_REACH_PX)
        if near.sum() < _PUSHER_LEAST_PX:
            return np.full(2, np.nan)
        centre = np.array([(near * columns).sum(), (near * rows).sum()]) / near.sum()
    return centre


def pusher_position(frame: NDArray[np.uint8]) -> Floats:
    """The pusher's position [2] in simulator units, as its own encoders would tell it; NaN when it cannot be seen."""
    return to_units(pusher_centre(read_shares(frame)), frame.shape[0])


def block_centroid(shares: Shares) -> Floats:
    """The centre of the block's mask [2] = (x, y) in pixels; NaN when fewer than 20 pixels are block."""
    rows, columns = np.nonzero(shares.block_mask)
    if len(rows) < _BLOCK_LEAST_PX:
        return np.full(2, np.nan)
    return np.array([columns.mean(), rows.mean()])


def block_iou(first: Shares, second: Shares) -> float:
    """Intersection over union of two block masks, leaving out what a pusher hides in either; 0 when both are empty."""
    known = ~(first.unknown | second.unknown)
    a, b = first.block_mask & known, second.block_mask & known
    union = int((a | b).sum())
    return int((a & b).sum()) / union if union else 0.0
