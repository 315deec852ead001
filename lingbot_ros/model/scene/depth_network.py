"""What is seen, and what is known already of how far it is -> the distance of every pixel.

A real frame is the case "all colours, no distance"; a view with holes is "some of both". Distances are disparities, 1/m
along the optical axis. The head says planes instead of pixels: the disparity of a plane is linear in the image, so that
every cell of 4 x 4 pixels gives one plane, and every pixel mixes those of its own and the eight neighbouring cells.
Walls come out straight and edges sharp after minutes of training.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

NEAREST, FARTHEST = 10.0, 0.05
"""Disparities, 1/m: 0.1 m and 20 m."""
INPUTS = 8
RAY_X = 6
"""Which of the inputs says how far to the right a pixel looks."""
CELL = 4
MULTIPLE = 16
"""Heights and widths of frames are multiples of it."""
_NEIGHBOURS = 9


class Block(nn.Module):
    """A residual pair of 3 x 3 convolutions, whose weights are matrices [out, in * 9], as Muon wants them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(8, width), nn.GroupNorm(8, width)
        self.first, self.second = (nn.Parameter(torch.empty(width, width * 9)) for _ in range(2))
        for matrix in (self.first, self.second):
            nn.init.kaiming_uniform_(matrix, a=5**0.5)

    def forward(self, x: Tensor) -> Tensor:
        y = _convolve(F.silu(self.norm1(x)), self.first)
        return x + _convolve(F.silu(self.norm2(y)), self.second)


def _convolve(x: Tensor, matrix: Tensor) -> Tensor:
    return F.conv2d(x, matrix.unflatten(1, (-1, 3, 3)), padding=1)


class DepthNetwork(nn.Module):
    """See the module."""

    def __init__(self, widths: tuple[int, int, int]) -> None:
        super().__init__()
        fine, middle, coarse = widths
        self.enter = nn.Conv2d(INPUTS * CELL * CELL, fine, 3, padding=1)
        self.down1 = nn.Conv2d(fine, middle, 3, stride=2, padding=1)
        self.down2 = nn.Conv2d(middle, coarse, 3, stride=2, padding=1)
        self.overall = nn.Linear(coarse, coarse)
        self.up2 = nn.Conv2d(coarse, middle, 1)
        self.up1 = nn.Conv2d(middle, fine, 1)
        self.blocks = nn.ModuleDict(
            {
                "fine_in": Block(fine),
                "middle_in": Block(middle),
                "coarse1": Block(coarse),
                "coarse2": Block(coarse),
                "middle_out": Block(middle),
                "fine_out": Block(fine),
            }
        )
        self.planes = nn.Conv2d(fine, 3, 1)
        self.choice = nn.Conv2d(fine, CELL * CELL * _NEIGHBOURS, 1)
        nn.init.normal_(self.planes.weight, std=0.01)
        nn.init.zeros_(self.planes.bias)  # type: ignore[arg-type]

    def forward(self, inputs: Tensor) -> Tensor:
        """What `condition` gives -> disparity float32 [B, 1, H, W] in 1/m. H and W are multiples of `MULTIPLE`."""
        fine = self.blocks["fine_in"](self.enter(F.pixel_unshuffle(inputs, CELL)))
        middle = self.blocks["middle_in"](self.down1(fine))
        coarse = self.blocks["coarse1"](self.down2(middle))
        coarse = coarse + self.overall(coarse.mean((2, 3)))[:, :, None, None]
        coarse = self.blocks["coarse2"](coarse)
        middle = middle + F.interpolate(self.up2(coarse), scale_factor=2.0, mode="nearest")
        middle = self.blocks["middle_out"](middle)
        fine = fine + F.interpolate(self.up1(middle), scale_factor=2.0, mode="nearest")
        fine = self.blocks["fine_out"](fine)
        return mix_planes(self.planes(fine).float(), self.choice(fine).float())


def mix_planes(planes: Tensor, choice: Tensor) -> Tensor:
    """Planes [B, 3, h, w] and logits [B, 16 * 9, h, w] of cells -> disparity [B, 1, 4h, 4w].

    A plane is the logarithm of its disparity at the centre of its cell, and its slopes to the right and downwards as
    shares of that, per cell.
    """
    rows, columns = planes.shape[-2:]
    value = limited(planes[:, :1], -4, 3).exp()
    slopes = planes[:, 1:] * value
    around = F.pad(torch.cat((value, slopes), 1), (1, 1, 1, 1), mode="replicate")
    inside = (torch.arange(CELL, device=planes.device, dtype=planes.dtype) + 0.5) / CELL - 0.5
    below, right = inside[:, None, None, None], inside[None, :, None, None]
    weights = choice.unflatten(1, (_NEIGHBOURS, CELL, CELL)).softmax(1)
    mixed = torch.zeros_like(weights[:, 0])
    for index in range(_NEIGHBOURS):
        dy, dx = index // 3, index % 3
        value, slope_x, slope_y = around[:, :, dy : dy + rows, dx : dx + columns].unbind(1)
        at = (
            value[:, None, None]
            + slope_x[:, None, None] * (right - (dx - 1))
            + slope_y[:, None, None] * (below - (dy - 1))
        )
        mixed = mixed + weights[:, index] * at
    return limited(F.pixel_shuffle(mixed.flatten(1, 2), CELL), FARTHEST, NEAREST)


class _Limited(torch.autograd.Function):
    """Clamps. What is out of range still learns to come back, but not to go further: otherwise it is stuck there."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, low: float, high: float) -> Tensor:
        ctx.save_for_backward(x)
        ctx.limits = low, high
        return x.clamp(low, high)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (x,), (low, high), gradient = ctx.saved_tensors, ctx.limits, gradients[0]
        outwards = ((x < low) & (gradient > 0)) | ((x > high) & (gradient < 0))
        return gradient.masked_fill(outwards, 0), None, None


def limited(x: Tensor, low: float, high: float) -> Tensor:
    """`x` from `low` to `high`; see `_Limited` for its gradient."""
    result: Tensor = _Limited.apply(x, low, high)
    return result


def condition(colour: Tensor, known: Tensor, disparity: Tensor, disparity_known: Tensor, rays: Tensor) -> Tensor:
    """The network's input [B, 8, H, W].

    colour [B, 3, H, W], 0..1; known, disparity_known [B, 1, H, W], 0 or 1; disparity [B, 1, H, W] in 1/m; rays
    [B, 2, H, W]: x / z and y / z of the viewing directions. What is not known is hidden here.
    """
    logarithm = (disparity.clamp(FARTHEST, NEAREST).log() + 1.0) * disparity_known
    return torch.cat(((colour * 2 - 1) * known, known, logarithm, disparity_known, rays), 1)


def view_rays(intrinsics: Tensor, height: int, width: int) -> Tensor:
    """fx, fy, cx, cy [B, 4] in pixels -> x / z and y / z of every pixel's viewing direction, [B, 2, H, W]."""
    x = (torch.arange(width, dtype=intrinsics.dtype) + 0.5 - intrinsics[:, 2:3]) / intrinsics[:, 0:1]
    y = (torch.arange(height, dtype=intrinsics.dtype) + 0.5 - intrinsics[:, 3:4]) / intrinsics[:, 1:2]
    return torch.stack((x[:, None, :].expand(-1, height, -1), y[:, :, None].expand(-1, -1, width)), 1)
