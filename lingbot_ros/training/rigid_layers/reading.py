"""What things look like and where they are, read off clips: outlines from many images together, then every pose."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from lingbot_ros.errors import InputError
from lingbot_ros.model.rigid_layers.config import MOST_CORNERS
from lingbot_ros.model.rigid_layers.outline_fit import (
    Fit,
    fit_disc,
    fit_outline,
    refit,
    register,
    rough_contour,
    share_error,
)
from lingbot_ros.model.rigid_layers.palette import Palette, unmix
from lingbot_ros.model.rigid_layers.polygon import Floats, centroid
from lingbot_ros.model.rigid_layers.sight import Sight, largest_part, look
from lingbot_ros.training.rigid_layers.still_camera import Frames

_RAMPS_PX = (0.375, 0.6, 0.8, 1.0, 1.3, 1.7)
"""How wide an edge may be drawn: sampled at the middle of each pixel, averaged over it, more and more blurred."""
_WHOLE = 0.9
"""A thing with less than this share of its usual area is partly hidden or beyond the edge of the image."""
_CLEAR_PX = 2
_SIGHTS = 8
_RAMP_SIGHTS = 3
_TURNS = 7
_FEWEST_PX = 5
_LOST_FACTOR, _LOST_SHARES = 1.7, 8.0
"""A pose is not believed that leaves this many times what the outline's own images left, and so many pixels more."""
_SAME = 1e-3


@dataclass(frozen=True)
class Looks:
    """radius of the driven disc as drawn; outlines of the others [V, 2] about their centroids; how wide edges are.

    usual: what each outline leaves unexplained of its images, summed shares. disc_error: of the disc, per pixel of its
    rim, which says whether it is one.
    """

    radius: float
    outlines: tuple[Floats, ...]
    ramp_px: float
    usual: tuple[float, ...]
    disc_error: float

    def disc(self) -> Floats:
        """A polygon as large as the disc."""
        angles = np.arange(MOST_CORNERS) * (2 * np.pi / MOST_CORNERS)
        grown = self.radius * np.sqrt(2 * np.pi / MOST_CORNERS / np.sin(2 * np.pi / MOST_CORNERS))
        return np.asarray(grown * np.stack([np.cos(angles), np.sin(angles)], -1))


def read_looks(palette: Palette, frames: Frames) -> Looks:
    """Outlines from frames [N, H, W, 3] spread over a data set, of which those are taken that show a thing whole.

    Raises InputError for a thing that is never to be seen whole and alone.
    """
    shares = [unmix(frame, palette).share for frame in frames]
    layers = shares[0].shape[0]
    clear = [_clear(shares, layer) for layer in range(layers)]
    for layer, found in enumerate(clear):
        if len(found) < 2:
            what = f"clips in which moving thing {layer + 1} of {layers} is never seen whole and apart from the others"
            raise InputError("--data", what, "record it so, or give fewer rigid_layers.layers")
    samples = [
        [_sight(shares[n], layer) for n in found[: _RAMP_SIGHTS if layer else _SIGHTS]]
        for layer, found in enumerate(clear)
    ]
    ramp = min(_RAMPS_PX, key=lambda width: _unexplained(samples[1:], width))
    outlines, usual = [], []
    for layer in range(1, layers):
        fit = _common_outline([_sight(shares[n], layer) for n in clear[layer][:_SIGHTS]], ramp)
        outlines.append(fit.outline - centroid(fit.outline))
        usual.append(fit.error / len(fit.poses))
    discs = [sight for sight, _ in samples[0]]
    area = float(np.median([share.sum() for _, share in samples[0]]))
    centres, radius = fit_disc(discs, float(np.sqrt(area / np.pi)), ramp)
    looks = Looks(radius, tuple(outlines), ramp, tuple(usual), 0.0)
    placed = [sight.at(np.array([*centre, 0.0])) for sight, centre in zip(discs, centres, strict=True)]
    error = share_error(looks.disc(), placed, ramp) / len(placed) / (2 * np.pi * radius)
    return Looks(radius, tuple(outlines), ramp, tuple(usual), error)


class PoseReader:
    """Reads the poses of all things in the frames of one episode after another."""

    def __init__(self, palette: Palette, looks: Looks) -> None:
        self._palette, self._looks, self._disc = palette, looks, looks.disc()

    def read(self, frames: Frames) -> Floats:
        """Poses [T, K, 3] as drawn, of frames [T, H, W, 3]; NaN where a thing is not to be seen or not understood."""
        poses = np.full((len(frames), 1 + len(self._looks.outlines), 3), np.nan)
        before: list[Floats | None] = [None] * poses.shape[1]
        for number, frame in enumerate(frames):
            share = unmix(frame, self._palette).share
            for layer in range(poses.shape[1]):
                past = before[layer]
                unchanged = past is not None and np.abs(past - share[: layer + 1]).max() < _SAME
                last = poses[number - 1, layer] if number else poses[number, layer]
                poses[number, layer] = last if unchanged else self._pose(share, layer, last)
                before[layer] = share[: layer + 1]
        return poses

    def _pose(self, share: Floats, layer: int, last: Floats) -> Floats:
        part = largest_part(share[layer])
        if part.sum() < _FEWEST_PX:
            return np.full(3, np.nan)
        rows, columns = np.nonzero(part)
        middle, ramp = np.array([columns.mean(), rows.mean()]), self._looks.ramp_px
        sight = look(share[layer], share[:layer].sum(0), np.array([*middle, 0.0]))
        if layer == 0:
            return register(self._disc, sight, ramp, turns=False).poses[0]
        outline, limit = self._looks.outlines[layer - 1], self._limit(layer)
        if np.isfinite(last).all():
            fit = register(outline, sight.at(last), ramp)
            if fit.error <= limit:
                return fit.poses[0]
        fit = _anywhere(outline, sight, middle, ramp)
        return fit.poses[0] if fit.error <= limit else np.full(3, np.nan)

    def _limit(self, layer: int) -> float:
        return _LOST_FACTOR * self._looks.usual[layer - 1] + _LOST_SHARES


def _clear(shares: Sequence[Floats], layer: int) -> list[int]:
    """Numbers of the images in which a layer is whole and nothing is near it, spread over the data set."""
    areas = np.array([(share[layer] * largest_part(share[layer])).sum() for share in shares])
    usual = np.quantile(areas, 0.8)
    around = np.ones((2 * _CLEAR_PX + 1, 2 * _CLEAR_PX + 1), np.uint8)
    found = []
    for number, share in enumerate(shares):
        mine = cv2.dilate((share[layer] > 0.02).astype(np.uint8), around) > 0
        others = np.delete(share, layer, axis=0).sum(0) > 0.3
        at_edge = mine[0].any() or mine[-1].any() or mine[:, 0].any() or mine[:, -1].any()
        if _WHOLE * usual < areas[number] < usual / _WHOLE and not at_edge and not (mine & others).any():
            found.append(number)
    return found if len(found) <= _SIGHTS else [found[i] for i in np.linspace(0, len(found) - 1, _SIGHTS).astype(int)]


def _sight(share: Floats, layer: int) -> tuple[Sight, Floats]:
    """What an image says of a layer's outline, from the middle of its largest part, and its share [H, W]."""
    part = cv2.dilate(largest_part(share[layer]).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    alone = share[layer] * part
    rows, columns = np.nonzero(alone > 0.5)
    return look(alone, share[:layer].sum(0), np.array([columns.mean(), rows.mean(), 0.0])), alone


def _outline(seen: tuple[Sight, Floats], ramp: float) -> Fit:
    sight, share = seen
    return fit_outline(rough_contour(share) - sight.pose[:2], [sight], ramp)


def _unexplained(samples: Sequence[Sequence[tuple[Sight, Floats]]], ramp: float) -> float:
    return sum(_outline(seen, ramp).error for sights in samples for seen in sights)


def _common_outline(seen: Sequence[tuple[Sight, Floats]], ramp: float) -> Fit:
    """One outline for all the images, each with a pose of its own."""
    fit = _outline(seen[0], ramp)
    sights = [seen[0][0]]
    for sight, _ in seen[1:]:
        sights.append(sight.at(_anywhere(fit.outline, sight, sight.pose[:2], ramp).poses[0]))
    return refit(fit.outline, sights, ramp)


def _anywhere(outline: Floats, sight: Sight, middle: Floats, ramp: float) -> Fit:
    """The best of the poses that a search from all turns leads to."""
    turns = (np.array([*middle, turn * 2 * np.pi / _TURNS]) for turn in range(_TURNS))
    return min((register(outline, sight.at(pose), ramp, rounds=20) for pose in turns), key=lambda fit: fit.error)
