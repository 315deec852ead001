"""An image of the world: the background, and every layer on it, each sampled once from what was really seen."""

import torch
import torch.nn.functional as F
from torch import Tensor

from lingbot_ros.model.rigid_layers.constants import Constants

DEEPEST = 2.0
"""Textures tell depth inside the outline from -1 to this less 1, pixels, as 0..2: what is beyond them is outside."""


def render(constants: Constants, poses: Tensor, textures: Tensor, background: Tensor) -> Tensor:
    """Layers at poses [B, K, 3] with textures [B, K, 4, t, t] before backgrounds [B, 3, H, W]: float32 like these."""
    image = background
    for layer in reversed(range(textures.shape[1])):
        pose = poses[:, layer]
        grid = _grid(pose[:, :2] + constants.drawn[layer], pose[:, 2], image.shape[2], image.shape[3])
        seen = F.grid_sample(textures[:, layer], grid / (constants.config.extent_px / 2), align_corners=False)
        cover = (0.5 + (seen[:, 3:] - 1) / constants.config.ramp_px).clamp(0, 1)
        image = image + cover * (seen[:, :3] - image)
    return image


def _grid(place: Tensor, turn: Tensor, height: int, width: int) -> Tensor:
    """Every pixel in a layer's own frame: [B, H, W, 2]."""
    x = torch.arange(width, device=place.device) - place[:, 0, None, None]
    y = torch.arange(height, device=place.device)[:, None] - place[:, 1, None, None]
    cosine, sine = turn.cos()[:, None, None], turn.sin()[:, None, None]
    return torch.stack((cosine * x + sine * y, cosine * y - sine * x), dim=-1)
