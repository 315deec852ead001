"""Remembered views -> the view from another pose: splat, z-buffer, crack repair, backward bicubic sampling."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lingbot_ros.model.scene.camera import Floats, Pinhole, Pose
from lingbot_ros.model.scene.keyframes import Keyframe
from lingbot_ros.model.scene.surfaces import NONE

_SLACK_SHARE, _SLACK_M = 0.05, 0.03
"""A surface is the one that a source saw if their distances differ by less: a share of it, plus metres."""
_CRACK = 1.15
"""A pixel so many times deeper than its surroundings is seen through a crack between points."""
_SPARSE_PX = 1.5
_COARSE = 4
_BETWEEN = np.ones((5, 5), np.uint8)
"""Gaps of up to four pixels between sparse points are closed: a surface four times as near as where it was seen."""


@dataclass(frozen=True)
class View:
    """colour uint8 [H, W, 3]; disparity [H, W] in 1/m; surface uint8 [H, W]; known [H, W]: what is remembered."""

    colour: NDArray[np.uint8]
    disparity: Floats
    surface: NDArray[np.uint8]
    known: NDArray[np.bool_]


@dataclass(frozen=True)
class Rendering:
    """A view, what it was rendered from, and its disparity [H, W] without gaps between sparse points of a surface."""

    view: View
    sources: Sequence[Keyframe]
    pose: Pose
    closed: Floats


class Renderer:
    """Renders views of one camera from keyframes of the same camera."""

    def __init__(self, lens: Pinhole) -> None:
        self.lens = lens
        self._rays = np.ascontiguousarray(lens.rays().reshape(-1, 3).T)

    def render(self, sources: Sequence[Keyframe], pose: Pose) -> View:
        """The view from `pose`; without sources everything is unknown."""
        return self.rendering(sources, pose).view

    def rendering(self, sources: Sequence[Keyframe], pose: Pose) -> Rendering:
        """As `render`, with what `without_gaps` needs."""
        disparity, closed = self._disparity(sources, pose)
        return Rendering(self._sampled(sources, pose, self._rays, disparity), sources, pose, closed)

    def without_gaps(self, rendering: Rendering) -> View:
        """The view with its gaps closed: what was seen through them goes."""
        view, closed = rendering.view, rendering.closed
        gaps = np.flatnonzero(closed != view.disparity)
        if not len(gaps):
            return view
        width = self.lens.width
        at = np.resize(gaps, (-(-len(gaps) // width), width))
        part = self._sampled(rendering.sources, rendering.pose, self._rays[:, at.reshape(-1)], closed.reshape(-1)[at])

        def with_part(whole: Any, values: Any) -> Any:
            result = whole.copy()
            result[np.divmod(at, width)] = values
            return result

        pairs = [(view.colour, part.colour), (view.surface, part.surface), (view.known, part.known)]
        colour, surface, known = (with_part(*pair) for pair in pairs)
        return View(colour, closed, surface, known)

    def _sampled(self, sources: Sequence[Keyframe], pose: Pose, rays: Floats, disparity: Floats) -> View:
        """Pixels with those rays [3, h w] and disparities [h, w], sampled in the sources that see their surfaces."""
        empty = disparity == 0
        height, width = disparity.shape
        depth = 1 / np.where(empty, np.float32(1e-6), disparity)
        total = np.zeros((height, width, 1), np.float32)
        colour = np.zeros((height, width, 3), np.float32)
        best = np.zeros((height, width), np.float32)
        surface = np.full((height, width), NONE, np.uint8)
        for source in sources:
            column, row, z = (
                x.reshape(height, width) for x in self.lens.project_from(rays, depth.reshape(-1), pose, source.pose)
            )
            column, row = column - np.float32(0.5), row - np.float32(0.5)
            there = cv2.remap(
                source.disparity, column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0
            )
            # |z - 1/d| < slack, without dividing by a disparity of 0
            near = np.abs(z * there - 1) < _SLACK_SHARE + _SLACK_M / np.maximum(z, 0.05)
            shown = cv2.remap(
                source.surface, column, row, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT, borderValue=NONE
            )
            # A wall seen from so much further away is less sharp than what is drawn of its tile.
            coarse = (z > _COARSE * depth) & (shown != NONE)
            seen = near & (z > 0.05) & ~empty & ~coarse
            if not seen.any():
                continue
            density = np.minimum(depth / np.maximum(z, np.float32(0.05)), np.float32(1.0))
            density *= density
            density *= density
            weight = seen * (density * density + np.float32(1e-12))
            sampled = cv2.remap(source.colour, column, row, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
            colour += sampled * weight[..., None]
            total += weight[..., None]
            better = weight > best
            best[better] = weight[better]
            surface[better] = shown[better]
        colour /= np.maximum(total, 1e-20)
        colours = np.clip(np.rint(colour), 0, 255).astype(np.uint8)
        return View(colours, disparity, surface, best > 0)

    def _disparity(self, sources: Sequence[Keyframe], pose: Pose) -> tuple[Floats, Floats]:
        """The z-buffer as disparity float32 [H, W], 0 where nothing is; and without gaps between sparse points."""
        lens = self.lens
        buffer = np.full(lens.height * lens.width, np.inf, np.float32)
        sparse = buffer.copy()
        for source in sources:
            disparity = source.disparity.reshape(-1)
            column, row, z = lens.project_from(self._rays, 1 / disparity, source.pose, pose)
            inside = (z > 0.05) & (column >= 0) & (column < lens.width) & (row >= 0) & (row < lens.height)
            index = row[inside].astype(np.int32) * lens.width + column[inside].astype(np.int32)
            np.minimum.at(buffer, index, z[inside])
            apart = z[inside] * disparity[inside] * _SPARSE_PX < 1
            np.minimum.at(sparse, index[apart], z[inside][apart])
        with np.errstate(divide="ignore"):
            nearest, near = ((1 / z).reshape(lens.height, lens.width) for z in (buffer, sparse))
        disparity = _repaired(nearest)
        over = cv2.morphologyEx(near, cv2.MORPH_CLOSE, _BETWEEN)
        return disparity, np.where(over > _CRACK * disparity, over, disparity)


def _repaired(disparity: Floats) -> Floats:
    """Close cracks: what is seen through them goes, what is missing in them is continued along planes."""
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
    return disparity
