"""What a scene's depth network is trained on: views of drives, with depth where it was measured."""

from dataclasses import dataclass, fields
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from lingbot_ros.model.scene.depth_network import view_rays

_SEEN_SHARE, _SEEN_M = 0.05, 0.05
"""A point is seen by another view if that view's depth there is this near: a share of it, plus metres."""


_MEASURED = 0.25
"""A view has depth if at least this share of its pixels was measured."""


@dataclass(frozen=True)
class Views:
    """B views of B drives, each with other views of the same drive.

    colour, other_colour uint8 [B, 3, H, W]; depth, other_depth float32 [B, 1, H, W] in metres along the axis, 0 where
    it was not measured; to_other float32 [B, 4, 4]: from the camera of the view to that of the other; sources uint8
    [B, 2, 3, H, W] and to_sources float32 [B, 2, 4, 4]: two views that show nearly the same from elsewhere, or the
    view itself where there is none; intrinsics float32 [B, 4] in pixels.
    """

    colour: Tensor
    depth: Tensor
    other_colour: Tensor
    other_depth: Tensor
    to_other: Tensor
    sources: Tensor
    to_sources: Tensor
    intrinsics: Tensor

    @property
    def measured(self) -> Tensor:
        """Which of the views have depth: bool [B]."""
        return (self.depth > 0).float().mean((1, 2, 3)) >= _MEASURED

    def rows(self, chosen: Tensor) -> "Views":
        """Those of the views that `chosen`, bool [B], says."""
        return Views(**{field.name: getattr(self, field.name)[chosen] for field in fields(self)})


class ViewSource(Protocol):
    """A data set of drives."""

    def draw(self, count: int, rng: np.random.Generator) -> Views:
        """So many views, drawn at random."""


def seen_from_other(views: Views) -> Tensor:
    """Which pixels of the views the other views have seen, too: float32 [B, 1, H, W] of 0 and 1."""
    height, width = views.depth.shape[-2:]
    rays = view_rays(views.intrinsics, height, width)
    points = torch.cat((rays * views.depth, views.depth), 1).flatten(2)
    there = views.to_other[:, :3, :3] @ points + views.to_other[:, :3, 3:]
    grid = pixel_grid(there, views.intrinsics, height, width)
    found = F.grid_sample(views.other_depth, grid, mode="nearest", align_corners=False)
    distance = there[:, 2].unflatten(1, (height, width))[:, None]
    inside = (grid.abs() < 1).all(-1)[:, None] & (distance > 0.05)
    return (inside & ((found - distance).abs() < _SEEN_SHARE * distance + _SEEN_M)).float()


def pixel_grid(points: Tensor, intrinsics: Tensor, height: int, width: int) -> Tensor:
    """Where points [B, 3, H * W] in a camera's axes are in its image, as `grid_sample` wants it: [B, H, W, 2]."""
    z = points[:, 2].clamp(min=1e-3)
    pixels = points[:, :2] / z[:, None] * intrinsics[:, :2, None] + intrinsics[:, 2:, None]
    extent = pixels.new_tensor([width, height])[None, :, None]
    return (2 * pixels / extent - 1).permute(0, 2, 1).unflatten(1, (height, width))


def mirrored(views: Views) -> Views:
    """The same views in a mirror: left is right, for all cameras of a drive."""
    width = views.depth.shape[-1]
    flip = torch.diag(views.to_other.new_tensor([-1.0, 1.0, 1.0, 1.0]))
    intrinsics = views.intrinsics.clone()
    intrinsics[:, 2] = width - intrinsics[:, 2]
    return Views(
        colour=views.colour.flip(-1),
        depth=views.depth.flip(-1),
        other_colour=views.other_colour.flip(-1),
        other_depth=views.other_depth.flip(-1),
        to_other=flip @ views.to_other @ flip,
        sources=views.sources.flip(-1),
        to_sources=flip @ views.to_sources @ flip,
        intrinsics=intrinsics,
    )


def changed_colours(colour: Tensor, rng: np.random.Generator) -> Tensor:
    """Colours 0..1 [B, 3, H, W] under other lamps: gains, and for some views channels in another order."""
    count = len(colour)
    gains = torch.from_numpy(rng.uniform(0.7, 1.3, (count, 1, 1, 1)) * rng.uniform(0.9, 1.1, (count, 3, 1, 1)))
    changed = (colour * gains.float()).clamp(0, 1)
    for row in np.flatnonzero(rng.random(count) < 0.25):
        changed[row] = changed[row, torch.from_numpy(rng.permutation(3))]
    return changed
