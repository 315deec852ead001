"""Which layer every pixel of a real frame belongs to, by colour: its shares, and the colour that a layer has there.

The palette is a constant of the data set: flat colours that occur in it again and again, each with its owner. A pixel
that is none of them lies on an edge: it is a mixture of the two palette colours, seen nearby, that explain it best.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_PURE = 6.0
"""A pixel this near (grey levels, Euclidean) to a palette colour is that colour."""
_NEARBY = np.ones((5, 5), np.uint8)
_ABSENT = 40.0
"""What a colour that is not to be seen nearby adds to the error of a mixture, grey levels."""


@dataclass(frozen=True)
class Palette:
    """colours float64 [P, 3] RGB 0..255; owners int [P]: 0 the background, 1.. the layers."""

    colours: Floats
    owners: NDArray[np.int64]


@dataclass(frozen=True)
class Shares:
    """share float64 [K, H, W]: how much of a pixel each layer covers; colour float64 [K, H, W, 3]: which colour it has
    where its share is not 0."""

    share: Floats
    colour: Floats


def unmix(frame: NDArray[np.uint8], palette: Palette) -> Shares:
    """Take a frame uint8 [H, W, 3] RGB apart."""
    colours, owners = palette.colours, palette.owners
    pixels = frame.astype(np.float64)
    apart = np.linalg.norm(pixels[:, :, None] - colours, axis=-1)
    label = apart.argmin(-1)
    pure = apart.min(-1) < _PURE
    first, second, portion = label.copy(), label.copy(), np.zeros(label.shape)
    present = np.stack([cv2.dilate((pure & (label == p)).astype(np.uint8), _NEARBY) for p in range(len(colours))], -1)
    mixed = ~pure
    if mixed.any():
        a, b = np.triu_indices(len(colours), 1)
        span = colours[b] - colours[a]
        from_a = pixels[mixed][:, None] - colours[a]
        part = np.clip((from_a * span).sum(-1) / (span * span).sum(-1), 0.0, 1.0)
        error = np.linalg.norm(from_a - part[..., None] * span, axis=-1)
        seen = present[mixed]
        error = error + _ABSENT * ((1 - seen[:, a]) + (1 - seen[:, b]))
        best = error.argmin(-1)
        first[mixed], second[mixed] = a[best], b[best]
        portion[mixed] = part[np.arange(len(best)), best]
    layers = range(1, int(owners.max()) + 1)
    share = np.stack([(1 - portion) * (owners[first] == k) + portion * (owners[second] == k) for k in layers])
    colour = np.stack(
        [_own_colour(owners[first] == k, owners[second] == k, colours[first], colours[second], pixels) for k in layers]
    )
    return Shares(share, colour)


def _own_colour(
    is_first: NDArray[np.bool_], is_second: NDArray[np.bool_], first: Floats, second: Floats, pixels: Floats
) -> Floats:
    """The layer's part of a mixture; the pixel itself where both parts are the layer's."""
    only_one = (is_first != is_second)[..., None]
    return np.where(only_one, np.where(is_first[..., None], first, second), pixels)
