"""Which layer every pixel of a real frame belongs to, by colour: its shares, and the colour that a layer has there.

The palette is a constant of the data set: flat colours that occur in it again and again, each with its owner. A pixel
that is none of them lies on an edge: it is a mixture of the two palette colours, seen nearby, that explain it best.
Where the camera stands still, the background need not be flat: its colour at a pixel is that of its image there.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_NOISY = 5.0
"""Colours hardly ever differ by more standard deviations of their noise, three channels together."""
_SAME_GREY = 1e-6
_NEARBY = np.ones((5, 5), np.uint8)
_ABSENT = 40.0
"""What a colour that is not to be seen nearby adds to the error of a mixture, grey levels."""


@dataclass(frozen=True)
class Palette:
    """colours float64 [P, 3] RGB 0..255; owners int [P]: 0 the background, 1.. the layers.

    ground float64 [H, W, 3], where it is known: the background's colour, instead of colours that it owns. pure: a
    pixel this near (grey levels, Euclidean) to a colour is that colour.
    """

    colours: Floats
    owners: NDArray[np.int64]
    ground: Floats | None = None
    pure: float = 6.0

    def before(self, ground: Floats, noise: float) -> "Palette":
        """The same colours before a known background, in images with this much noise, grey levels."""
        return replace(self, ground=ground, pure=max(self.pure, _NOISY * noise))

    def everywhere(self) -> tuple[Floats, NDArray[np.int64]]:
        """All colours, [P, 3] or at each pixel [H, W, 1 + P, 3] with the background's first, and their owners."""
        if self.ground is None:
            return self.colours, self.owners
        flat = np.broadcast_to(self.colours, (*self.ground.shape[:2], *self.colours.shape))
        return np.concatenate([self.ground[:, :, None], flat], axis=2), np.concatenate([[0], self.owners])


@dataclass(frozen=True)
class Shares:
    """share float64 [K, H, W]: how much of a pixel each layer covers; colour float64 [K, H, W, 3]: which colour it has
    where its share is not 0."""

    share: Floats
    colour: Floats


def unmix(frame: NDArray[np.uint8], palette: Palette) -> Shares:
    """Take a frame uint8 [H, W, 3] RGB apart."""
    colours, owners = palette.everywhere()
    pixels = frame.astype(np.float64)
    apart = np.linalg.norm(pixels[:, :, None] - colours, axis=-1)
    label = apart.argmin(-1)
    pure = apart.min(-1) < palette.pure
    first, second, portion = label.copy(), label.copy(), np.zeros(label.shape)
    present = np.stack([cv2.dilate((pure & (label == p)).astype(np.uint8), _NEARBY) for p in range(len(owners))], -1)
    mixed = ~pure
    if mixed.any():
        a, b = np.triu_indices(len(owners), 1)
        here = colours if colours.ndim == 2 else colours[mixed]
        span = here[..., b, :] - here[..., a, :]
        from_a = pixels[mixed][:, None] - here[..., a, :]
        part = np.clip((from_a * span).sum(-1) / np.maximum((span * span).sum(-1), _SAME_GREY), 0.0, 1.0)
        error = np.linalg.norm(from_a - part[..., None] * span, axis=-1)
        seen = present[mixed]
        error = error + _ABSENT * ((1 - seen[:, a]) + (1 - seen[:, b]))
        best = error.argmin(-1)
        first[mixed], second[mixed] = a[best], b[best]
        portion[mixed] = part[np.arange(len(best)), best]
    layers = range(1, int(owners.max()) + 1)
    share = np.stack([(1 - portion) * (owners[first] == k) + portion * (owners[second] == k) for k in layers])
    ends = _at(colours, first), _at(colours, second)
    colour = np.stack([_own_colour(owners[first] == k, owners[second] == k, *ends, pixels) for k in layers])
    return Shares(share, colour)


def _at(colours: Floats, index: NDArray[np.int64]) -> Floats:
    """The colour [H, W, 3] of that index [H, W] at each pixel."""
    if colours.ndim == 2:
        return np.asarray(colours[index])
    return np.take_along_axis(colours, index[..., None, None], axis=2)[:, :, 0]


def _own_colour(
    is_first: NDArray[np.bool_], is_second: NDArray[np.bool_], first: Floats, second: Floats, pixels: Floats
) -> Floats:
    """The layer's part of a mixture; the pixel itself where both parts are the layer's."""
    only_one = (is_first != is_second)[..., None]
    return np.where(only_one, np.where(is_first[..., None], first, second), pixels)
