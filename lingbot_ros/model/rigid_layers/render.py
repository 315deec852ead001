"""An image of the world: the background, and every layer on it, each sampled once from what was really seen."""

import torch
from torch import Tensor

from lingbot_ros.model.rigid_layers.constants import Constants

DEEPEST = 2.0
"""Textures tell depth inside the outline from -1 to this less 1, pixels, as 0..2: what is beyond them is outside."""


def render(constants: Constants, poses: Tensor, outlines: Tensor, textures: Tensor, background: Tensor) -> Tensor:
    """Layers at poses [B, K, 3] with drawn outlines [B, K, V, 2] and textures [B, K, 4, t, t] before backgrounds uint8
    [B, H, W, 3]: images like these."""
    from lingbot_ros.model.rigid_layers.drawing import draw  # noqa: PLC0415  - what draws nothing does not wait

    drawn, images = poses.clone(), background.clone(memory_format=torch.contiguous_format)
    drawn[..., :2] += constants.drawn
    config = constants.config
    draw(drawn.numpy(), outlines.numpy(), textures.contiguous().numpy(), config.texels, config.ramp_px, images.numpy())
    return images
