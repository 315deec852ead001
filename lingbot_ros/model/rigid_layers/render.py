"""An image of the world: the background, and every layer on it, each sampled once from what was really seen."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from lingbot_ros.model.rigid_layers.constants import Constants

DEEPEST = 2.0
"""Textures tell depth inside the outline from -1 to this less 1, pixels, as 0..2: what is beyond them is outside."""

_SPARE_PX = 4
"""How much wider than its outline a layer is drawn: its soft edge, and a place between two pixels."""


def render(constants: Constants, poses: Tensor, outlines: Tensor, textures: Tensor, background: Tensor) -> Tensor:
    """Layers at poses [B, K, 3] with drawn outlines [B, K, V, 2] and textures [B, K, 4, t, t] before backgrounds uint8
    [B, H, W, 3]: images like these."""
    image = background.clone()
    radii = outlines.square().sum(-1).amax((0, 2)).sqrt().tolist()
    for layer in reversed(range(textures.shape[1])):
        place = poses[:, layer, :2] + constants.drawn[layer]
        _draw(constants, place, poses[:, layer, 2], radii[layer], textures[:, layer], image)
    return image


def _draw(constants: Constants, place: Tensor, turn: Tensor, radius: float, texture: Tensor, image: Tensor) -> None:
    """Draw one layer onto images uint8 [B, H, W, 3], in place: in the square about it, the same size in all rows."""
    rows, height, width, _ = image.shape
    side = min(math.ceil(2 * radius) + _SPARE_PX, height, width)
    limit = place.new_tensor((width - side, height - side))
    corner = (place - (side - 1) / 2).round().clamp_min(0).minimum(limit)
    local = torch.arange(side, device=place.device)
    x, y = (corner - place).split(1, dim=1)
    x, y = (local + x)[:, None], (local + y)[:, :, None]
    cosine, sine = turn.cos()[:, None, None], turn.sin()[:, None, None]
    grid = torch.stack((cosine * x + sine * y, cosine * y - sine * x), dim=-1)
    seen = F.grid_sample(texture, grid / (constants.config.extent_px / 2), align_corners=False)
    seen = seen.flatten(2).transpose(1, 2)
    cover = (0.5 + (seen[..., 3:] - 1) / constants.config.ramp_px).clamp(0, 1)
    column, row = corner.long().split(1, dim=1)
    world = torch.arange(rows, device=place.device)[:, None, None]
    pixel = ((world * height + row[..., None] + local[:, None]) * width + column[..., None] + local).flatten()
    pixels = image.view(-1, 3)
    behind = pixels[pixel].view_as(seen[..., :3])
    pixels[pixel] = (behind + cover * (seen[..., :3] - behind)).round().byte().view(-1, 3)
