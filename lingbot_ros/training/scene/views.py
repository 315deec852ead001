"""What a scene's depth network is trained on: views with depth, some of them with holes in what is known."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from lingbot_ros.model.scene.depth_network import view_rays

_SEEN_SHARE, _SEEN_M = 0.05, 0.05
"""A point is seen by another view if that view's depth there is this near: a share of it, plus metres."""


@dataclass(frozen=True)
class Views:
    """B views of B drives, each with another view of the same drive.

    colour uint8 [B, 3, H, W]; depth, other_depth float32 [B, 1, H, W] in metres along the axis; to_other float32
    [B, 4, 4]: from the camera of the view to that of the other; intrinsics float32 [B, 4] in pixels.
    """

    colour: Tensor
    depth: Tensor
    other_depth: Tensor
    to_other: Tensor
    intrinsics: Tensor


class ViewSource(Protocol):
    """A data set of drives with depth."""

    def draw(self, count: int, rng: np.random.Generator) -> Views:
        """So many views, drawn at random."""


def seen_from_other(views: Views) -> Tensor:
    """Which pixels of the views the other views have seen, too: float32 [B, 1, H, W] of 0 and 1."""
    height, width = views.depth.shape[-2:]
    rays = view_rays(views.intrinsics, height, width)
    points = torch.cat((rays * views.depth, views.depth), 1).flatten(2)
    there = views.to_other[:, :3, :3] @ points + views.to_other[:, :3, 3:]
    z = there[:, 2].clamp(min=1e-3)
    focal, centre = views.intrinsics[:, :2, None], views.intrinsics[:, 2:, None]
    pixels = there[:, :2] / z[:, None] * focal + centre
    extent = pixels.new_tensor([width, height])[None, :, None]
    grid = (2 * pixels / extent - 1).permute(0, 2, 1).unflatten(1, (height, width))
    found = F.grid_sample(views.other_depth, grid, mode="nearest", align_corners=False)
    distance = there[:, 2].unflatten(1, (height, width))[:, None]
    inside = (grid.abs() < 1).all(-1)[:, None] & (distance > 0.05)
    return (inside & ((found - distance).abs() < _SEEN_SHARE * distance + _SEEN_M)).float()


def mirrored(views: Views) -> Views:
    """The same views in a mirror: left is right, for both cameras of a drive."""
    width = views.depth.shape[-1]
    flip = torch.diag(views.to_other.new_tensor([-1.0, 1.0, 1.0, 1.0]))
    intrinsics = views.intrinsics.clone()
    intrinsics[:, 2] = width - intrinsics[:, 2]
    return Views(
        views.colour.flip(-1),
        views.depth.flip(-1),
        views.other_depth.flip(-1),
        flip @ views.to_other @ flip,
        intrinsics,
    )


def changed_colours(colour: Tensor, rng: np.random.Generator) -> Tensor:
    """Colours 0..1 [B, 3, H, W] under other lamps: gains, and for some views channels in another order."""
    count = len(colour)
    gains = torch.from_numpy(rng.uniform(0.7, 1.3, (count, 1, 1, 1)) * rng.uniform(0.9, 1.1, (count, 3, 1, 1)))
    changed = (colour * gains.float()).clamp(0, 1)
    for row in np.flatnonzero(rng.random(count) < 0.25):
        changed[row] = changed[row, torch.from_numpy(rng.permutation(3))]
    return changed
