"""The networks of the heads. Images come as float32 [B, 3, 96, 96] in -1..1."""

from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from lingbot_ros.errors import InputError

SIZE = 96
_KEYPOINTS = 8


class OutcomeNet(nn.Module):
    """An image -> (logit of success, coverage). Strided convolutions, then a small perceptron over all places."""

    def __init__(self) -> None:
        super().__init__()
        channels = (3, 16, 32, 48, 48)
        self.convolutions = nn.ModuleList(nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in pairwise(channels))
        self.hidden = nn.Linear(channels[-1] * (SIZE // 16) ** 2, 96)
        self.output = nn.Linear(96, 2)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """[B, 3, 96, 96] -> logit [B], coverage [B] in 0..1."""
        x = pictures
        for convolution in self.convolutions:
            x = F.silu(convolution(x))
        logit, coverage = self.output(F.silu(self.hidden(x.flatten(1)))).unbind(-1)
        return logit, coverage.sigmoid()


class InverseNet(nn.Module):
    """Three images in a row -> the action that led to the last, with its spread.

    Each image is reduced to a few key points whose places are means over the image, hence finer than a pixel; the
    action follows from how these move.
    """

    def __init__(self) -> None:
        super().__init__()
        self.to_half = nn.Conv2d(3, 16, 5, stride=2, padding=2)
        self.mix = nn.Conv2d(16, 24, 3, padding=1)
        self.heat = nn.Conv2d(24, _KEYPOINTS, 3, padding=1)
        self.straight = nn.Linear(3 * 2 * _KEYPOINTS, 4)
        self.hidden = nn.Linear(3 * 2 * _KEYPOINTS, 64)
        self.bent = nn.Linear(64, 4)
        grid = torch.linspace(-1, 1, SIZE // 2)
        self.register_buffer("grid", grid, persistent=False)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """[B, 3 images, 3, 96, 96] -> action [B, 2] in -1..1 and the logarithm of its standard deviation [B, 2]."""
        x = F.silu(self.to_half(pictures.flatten(0, 1)))
        heat = self.heat(F.silu(self.mix(x))).flatten(2).softmax(-1).unflatten(2, (SIZE // 2, SIZE // 2))
        places = torch.stack(((heat.sum(2) * self.grid).sum(-1), (heat.sum(3) * self.grid).sum(-1)), dim=-1)
        first, middle, last = places.flatten(1).unflatten(0, (-1, 3)).unbind(1)
        # Motions are small beside places; without the factor the first layers would have to be large.
        moves = torch.cat((last, 8 * (last - middle), 8 * (middle - first)), dim=-1)
        mean, log_spread = (self.straight(moves) + self.bent(F.silu(self.hidden(moves)))).chunk(2, dim=-1)
        return mean, log_spread.clamp(-6, 1)


def to_images(frames: NDArray[np.uint8], field: str, shape: tuple[int, ...]) -> Tensor:
    """uint8 [B, ..., 96, 96, 3] RGB -> float32 [B, ..., 3, 96, 96]; `shape` is what must follow the first axis.

    Raises InputError naming `field`.
    """
    array = np.asarray(frames)
    if array.dtype != np.uint8 or array.ndim != len(shape) + 1 or array.shape[1:] != shape:
        want = ", ".join(str(n) for n in shape)
        raise InputError(field, f"{array.dtype} {list(array.shape)}", f"give uint8 [B, {want}], RGB")
    return torch.from_numpy(np.ascontiguousarray(array)).movedim(-1, -3).float() / 127.5 - 1
