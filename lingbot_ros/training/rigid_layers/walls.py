"""Walls, from where things come to rest or from pushes that only a wall explains."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from lingbot_ros.model.rigid_layers.contact import ContactLaw
from lingbot_ros.model.rigid_layers.outline import inset
from lingbot_ros.model.rigid_layers.polygon import place
from lingbot_ros.training.rigid_layers.law_fit import ContactFit, Pushes, missed_by

Floats = NDArray[np.float64]

_FINE_PX, _FAR_PX = 0.05, 6.0
NO_WALLS = (-1e3, -1e3, 1e3, 1e3)
_REGION = 1 / 3
"""A wall is looked for in this part of the image at each side."""
_MOST_CANDIDATES = 80
_NEARBY_PX = 3.0
_OUTLIER_PX = 0.3
_GAIN = 8.0
"""By how much a wall must make the pushes more likely, nats: about two pushes that it stops."""


def usual_stop(extremes: Floats) -> float:
    """Where the outermost corners come to rest most often, within a sixteenth of the image; pixels from its edge."""
    counts, edges = np.histogram(extremes, bins=np.arange(0.0, _FAR_PX, _FINE_PX))
    most = int(counts.argmax())
    return float(np.median(extremes[(extremes >= edges[most]) & (extremes < edges[most + 1])]))


def find_walls(law: ContactLaw, fit: ContactFit, pushes: Sequence[Pushes], size: tuple[int, int]) -> list[float]:
    """Left, top, right and bottom, in pixels, where with a wall `law` explains the pushes of all things better.

    A side at which no push shows a wall has none: it is far outside of the image, see `NO_WALLS`. `law` is left with
    the walls. size: width and height of the image.
    """
    reach = [_reach(shape, fit.margin) for shape in pushes]
    for side in range(4):
        sign = 1.0 if side < 2 else -1.0
        edge = 0.0 if side < 2 else size[side % 2] - 1.0
        depths = [sign * (ends[:, side] - edge) for ends in reach]
        inner = _REGION * size[side % 2]
        candidates = np.unique(np.concatenate(depths))
        candidates = candidates[candidates < inner][:_MOST_CANDIDATES]
        best, most = NO_WALLS[side], _GAIN
        for candidate in candidates:
            near = [_some(shape, depth < candidate + _NEARBY_PX) for shape, depth in zip(pushes, depths, strict=True)]
            law.walls[side] = NO_WALLS[side]
            without = _unlikely(law, fit, near)
            law.walls[side] = edge + sign * float(candidate)
            gain = without - _unlikely(law, fit, near)
            if gain > most:
                best, most = edge + sign * float(candidate), gain
        law.walls[side] = best
    return [float(wall) for wall in law.walls]


def _reach(shape: Pushes, margin: float) -> Floats:
    """How far left, up, right and down a thing reaches after each push: [N, 4]."""
    outline = inset(shape.outline[0], margin).double().numpy()
    corners = np.stack([place(outline, pose) for pose in shape.after.double().numpy()])
    return np.concatenate([corners.min(1), corners.max(1)], axis=-1)


def _some(shape: Pushes, which: NDArray[np.bool_]) -> Pushes:
    kept = torch.from_numpy(np.flatnonzero(which))
    names = ("pose", "after", "outline", "centroid", "skew", "path")
    return replace(shape, **{name: getattr(shape, name)[kept] for name in names})


def _unlikely(law: ContactLaw, fit: ContactFit, pushes: Sequence[Pushes]) -> float:
    missed = torch.cat([missed_by(law, fit, shape) for shape in pushes if len(shape.pose)])
    return float((missed.norm(dim=-1) / _OUTLIER_PX).square().log1p().sum())
