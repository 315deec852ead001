"""Remembered views -> the view from another pose: splat, z-buffer, crack repair, backward bicubic sampling."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lingbot_ros.model.scene.camera import Floats, Pinhole, Pose, to_world
from lingbot_ros.model.scene.keyframes import COPIED, PAINTED, REAL, UNKNOWN, Keyframe
from lingbot_ros.model.scene.surfaces import NONE

_SLACK_SHARE, _SLACK_M = 0.05, 0.03
"""A surface is the one that a source saw if their distances differ by less: a share of it, plus metres."""
_CRACK = 1.15
"""A pixel so many times deeper than its surroundings is seen through a crack between points."""
_TRUST = np.zeros(4, np.float32)
_TRUST[REAL], _TRUST[PAINTED], _TRUST[COPIED] = 1.0, 0.36, 0.09


@dataclass(frozen=True)
class View:
    """colour uint8 [H, W, 3]; disparity [H, W], 1/m; origin and surface uint8 [H, W], see `Keyframe`.

    magnified float32 [H, W]: how many pixels of this view one of the source's fills, along a side.
    """

    colour: NDArray[np.uint8]
    disparity: Floats
    origin: NDArray[np.uint8]
    surface: NDArray[np.uint8]
    magnified: Floats

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which pixels are remembered."""
        return np.asarray(self.origin != UNKNOWN)


class Renderer:
    """Renders views of one camera from keyframes of the same camera."""

    def __init__(self, lens: Pinhole) -> None:
        self.lens = lens
        self._rays = lens.rays()
        self._unit = self._rays.reshape(-1, 3)

    def render(self, sources: Sequence[Keyframe], pose: Pose) -> View:
        """The view from `pose`; without sources everything is unknown."""
        depth = self._depth(sources, pose)
        height, width = depth.shape
        empty = ~np.isfinite(depth)
        depth[empty] = 1e6
        points = to_world(self._rays * depth[..., None], pose)
        total = np.zeros((height, width, 1), np.float32)
        colour = np.zeros((height, width, 3), np.float32)
        best = np.zeros((height, width), np.float32)
        origin = np.zeros((height, width), np.uint8)
        surface = np.full((height, width), NONE, np.uint8)
        magnified = np.ones((height, width), np.float32)
        for source in sources:
            column, row, z = self.lens.project(points, source.pose)
            column, row = column - np.float32(0.5), row - np.float32(0.5)
            there = cv2.remap(
                source.disparity, column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0
            )
            kind = cv2.remap(
                source.origin, column, row, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT, borderValue=0
            )
            # |z - 1/d| < slack, without dividing by a disparity of 0
            near = np.abs(z * there - 1) < _SLACK_SHARE + _SLACK_M / np.maximum(z, 0.05)
            seen = near & (z > 0.05) & (kind != UNKNOWN) & ~empty
            if not seen.any():
                continue
            density = np.minimum(depth / np.maximum(z, 0.05), 1.0)
            weight = np.where(seen, (_TRUST[kind] * density**2) ** 4, 0).astype(np.float32) + seen * np.float32(1e-12)
            sampled = cv2.remap(source.colour, column, row, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
            colour += sampled * weight[..., None]
            total += weight[..., None]
            shown = cv2.remap(
                source.surface, column, row, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT, borderValue=NONE
            )
            better = weight > best
            best[better] = weight[better]
            origin[better], surface[better] = kind[better], shown[better]
            magnified[better] = (np.maximum(z, 0.05) / depth)[better]
        colour /= np.maximum(total, 1e-20)
        disparity = np.where(empty, 0, 1 / depth).astype(np.float32)
        return View(np.clip(np.rint(colour), 0, 255).astype(np.uint8), disparity, origin, surface, magnified)

    def _depth(self, sources: Sequence[Keyframe], pose: Pose) -> Floats:
        """The z-buffer in metres, float32 [H, W], infinite where nothing is."""
        lens = self.lens
        buffer = np.full(lens.height * lens.width, np.inf, np.float32)
        for source in sources:
            known = np.flatnonzero(source.origin.reshape(-1) != UNKNOWN)
            points = self._unit[known] / source.disparity.reshape(-1)[known, None]
            column, row, z = lens.project(to_world(points, source.pose), pose)
            inside = (z > 0.05) & (column >= 0) & (column < lens.width) & (row >= 0) & (row < lens.height)
            index = row[inside].astype(np.int32) * lens.width + column[inside].astype(np.int32)
            np.minimum.at(buffer, index, z[inside])
        return _repaired(buffer.reshape(lens.height, lens.width))


def _repaired(depth: Floats) -> Floats:
    """Close cracks: what is seen through them goes, what is missing in them is continued along planes."""
    disparity = np.where(np.isfinite(depth), 1 / depth, 0).astype(np.float32)
    for size in (3, 5, 9):
        missing = disparity == 0
        if not missing.any():
            break
        there = (~missing).astype(np.float32)
        count = cv2.boxFilter(there, -1, (size, size), normalize=False, borderType=cv2.BORDER_CONSTANT)
        mean = cv2.boxFilter(disparity, -1, (size, size), normalize=False, borderType=cv2.BORDER_CONSTANT)
        fill = missing & (count >= 0.3 * size)
        disparity[fill] = (mean / np.maximum(count, 1))[fill]
    middle = cv2.medianBlur(disparity, 3)
    deeper = (middle > _CRACK * disparity) & (middle > 0)
    disparity[deeper] = middle[deeper]
    with np.errstate(divide="ignore"):
        return np.asarray(1 / disparity, np.float32)
