"""Convolutional ends for models whose latent is the image itself: patches in, motion and correction out.

A linear map of 16 x 16 pixel patches would have to squeeze 768 numbers through a narrow model. Convolutions at 1/2 and
1/4 resolution with skip connections keep edges sharp while the transformer decides what moves where.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lingbot_ros.model.config import PixelConfig


class PixelStem(nn.Module):
    """Image channels -> tokens, remembering the feature maps that the head needs."""

    def __init__(self, config: PixelConfig, in_channels: int, dim: int, patch: int) -> None:
        super().__init__()
        half, quarter = config.channels
        self.to_half = nn.Conv2d(in_channels, half, 4, stride=2, padding=1)
        self.to_quarter = nn.Conv2d(half, quarter, 4, stride=2, padding=1)
        self.refine = nn.Conv2d(quarter, quarter, 3, padding=1)
        self.patch = nn.Conv2d(quarter, dim, patch // 4, stride=patch // 4)

    def forward(self, x: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """x [F, C, H, W] -> tokens [F, S, dim] and features at 1/2 and 1/4 resolution."""
        half = F.silu(self.to_half(x))
        quarter = F.silu(self.to_quarter(half))
        quarter = quarter + F.silu(self.refine(quarter))
        return self.patch(quarter).flatten(2).transpose(1, 2), (half, quarter)


class JoinedConv(nn.Conv2d):
    """A convolution of two feature maps with the same number of channels, joined."""

    def forward(self, one: Tensor, other: Tensor) -> Tensor:  # type: ignore[override]
        return super().forward(torch.cat((one, other), dim=1))


class PixelHead(nn.Module):
    """Normed tokens and the stem's features -> per-pixel outputs."""

    def __init__(self, config: PixelConfig, out_channels: int, dim: int, patch: int) -> None:
        super().__init__()
        half, quarter = config.channels
        self.cells = patch // 4
        self.unpatch = nn.Linear(dim, quarter * self.cells**2)
        self.quarter_in = JoinedConv(2 * quarter, quarter, 3, padding=1)
        self.quarter_mix = nn.Conv2d(quarter, quarter, 3, padding=1)
        self.up_half = nn.Conv2d(quarter, 4 * half, 1)
        self.half_in = JoinedConv(2 * half, half, 3, padding=1)
        self.up_full = nn.Conv2d(half, 4 * out_channels, 3, padding=1)
        nn.init.zeros_(self.up_full.weight)
        nn.init.zeros_(self.up_full.bias)  # type: ignore[arg-type]

    def forward(self, tokens: Tensor, features: tuple[Tensor, Tensor]) -> Tensor:
        """tokens [F, S, dim] -> [F, out_channels, H, W]."""
        half, quarter = features
        rows, columns = quarter.shape[2] // self.cells, quarter.shape[3] // self.cells
        x = self.unpatch(tokens).transpose(1, 2).unflatten(2, (rows, columns))
        x = F.pixel_shuffle(x, self.cells)
        x = F.silu(self.quarter_in(x, quarter))
        x = x + F.silu(self.quarter_mix(x))
        x = F.pixel_shuffle(self.up_half(x), 2)
        x = F.silu(self.half_in(x, half))
        return F.pixel_shuffle(self.up_full(x), 2)


def move_and_correct(previous: Tensor, output: Tensor) -> Tensor:
    """The next image: `previous` sampled where each pixel came from, plus a correction.

    previous [F, C, H, W] in -1..1; output [F, C + 2, H, W], its last two channels the displacement (x, y) in pixels
    from a pixel to its source. Moving pixels instead of redrawing them keeps rigid things rigid.
    """
    channels, height, width = previous.shape[1:]
    correction, motion = output[:, :channels], output[:, channels:].float()
    x = torch.arange(width, device=output.device) + motion[:, 0]
    y = torch.arange(height, device=output.device)[:, None] + motion[:, 1]
    grid = torch.stack(((2 * x + 1) / width - 1, (2 * y + 1) / height - 1), dim=-1)
    moved = F.grid_sample(previous.float(), grid, mode="bilinear", padding_mode="border", align_corners=False)
    return moved + correction.float()
