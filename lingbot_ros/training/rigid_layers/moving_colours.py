"""The colours of the things that move: those that explain the pixels which are not the background."""

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.training.rigid_layers.still_camera import Frames, StillScene

Floats = NDArray[np.float64]

_SAMPLED = 12_000
_LEAST_PX = 1.5
"""A colour that explains fewer pixels per frame is none of the palette."""
_NEAR_GREY, _NOISY = 12.0, 4.0
"""Colours that are nearer to each other, or differ by fewer standard deviations of the noise, are one."""
_MOST_COLOURS = 16
_ROUNDS = 4


def find_colours(scene: StillScene, frames: Frames) -> Floats:
    """Colours [P, 3], the most frequent first, that with the background explain frames [N, H, W, 3].

    A pixel is explained by a colour near to it, or by a mixture of two of them or of one with the background behind.
    """
    covered = scene.covered(frames)
    number, rows, columns = np.nonzero(covered)
    chosen = np.random.default_rng(0).permutation(len(number))[:_SAMPLED]
    pixels = frames[number[chosen], rows[chosen], columns[chosen]].astype(np.float64)
    behind = scene.background[rows[chosen], columns[chosen]].astype(np.float64)
    least = _LEAST_PX * len(frames) * len(chosen) / max(len(number), 1)
    near = max(_NEAR_GREY, _NOISY * scene.noise)
    colours: list[Floats] = []
    left = np.ones(len(pixels), bool)
    while len(colours) < _MOST_COLOURS and left.sum() >= least:
        colour, count = _densest(pixels[left], near)
        if count < least:
            break
        colours.append(colour)
        ends = [np.broadcast_to(other, pixels.shape) for other in colours[:-1]]
        for end in (behind, *ends):
            left &= _apart_from_mixtures(pixels, colour, end) > near
    return np.array(colours).reshape(-1, 3)


def _densest(pixels: Floats, near: float) -> tuple[Floats, int]:
    """The middle of the largest cluster of pixels [N, 3], and how many are near to it."""
    cells = np.floor(pixels / near).astype(np.int64)
    _, inverse, counts = np.unique(cells, axis=0, return_inverse=True, return_counts=True)
    colour = np.median(pixels[inverse.ravel() == counts.argmax()], axis=0)
    for _ in range(_ROUNDS):
        close = np.linalg.norm(pixels - colour, axis=-1) < near
        colour = np.median(pixels[close], axis=0)
    return colour, int(close.sum())


def _apart_from_mixtures(pixels: Floats, colour: Floats, end: Floats) -> Floats:
    """How far pixels [N, 3] are from the line between a colour and the other one, `end` [N, 3]."""
    span = end - colour
    part = ((pixels - colour) * span).sum(-1) / np.maximum((span * span).sum(-1), 1e-9)
    return np.asarray(np.linalg.norm(pixels - colour - np.clip(part, 0, 1)[:, None] * span, axis=-1))
