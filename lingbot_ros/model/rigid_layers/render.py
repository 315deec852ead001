"""An image of the world: the background, and every layer on it, each sampled once from what was really seen."""

import torch
from torch import Tensor

from lingbot_ros.model.rigid_layers.constants import Constants


def render(constants: Constants, poses: Tensor, outlines: Tensor, textures: Tensor, background: Tensor) -> Tensor:
    """Layers at poses [B, K, 3] with drawn outlines [B, K, V, 2] and textures uint8 [B, K, t, t, 4] before backgrounds
    uint8 [B, H, W, 3]: images like these."""
    from lingbot_ros.model.rigid_layers.drawing import draw  # noqa: PLC0415  - what draws nothing does not wait

    drawn, images = poses.clone(), background.clone(memory_format=torch.contiguous_format)
    drawn[..., :2] += constants.drawn
    config = constants.config
    sizes = config.texels, config.depth_px, config.ramp_px
    draw(drawn.numpy(), outlines.numpy(), textures.contiguous().numpy(), *sizes, images.numpy())
    return images
