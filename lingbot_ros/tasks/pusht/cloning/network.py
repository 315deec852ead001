"""The network of the cloned policy. Images come as float32 [B, 3, 96, 96] in -1..1."""

from dataclasses import dataclass
from itertools import pairwise
from math import log, pi

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lingbot_ros.tasks.pusht.heads.networks import SIZE

CHUNK = 4
"""Actions that one image leads to."""

_KEYPOINTS = 16
_MODES = 6
_COARSE = (32, 48, 64)
_HIDDEN = 192


@dataclass(frozen=True)
class Modes:
    """Several chunks that an expert might send, because it has a choice of strokes.

    logits [B, modes]; means and log_spreads [B, modes, CHUNK * 2], actions in -1..1.
    """

    logits: Tensor
    means: Tensor
    log_spreads: Tensor

    def loss(self, actions: Tensor) -> Tensor:
        """Mean negative log likelihood of chunks [B, CHUNK * 2]."""
        off = (actions[:, None] - self.means) / self.log_spreads.exp()
        log_density = -(0.5 * off.square() + self.log_spreads + 0.5 * log(2 * pi)).sum(-1)
        return -torch.logsumexp(self.logits.log_softmax(-1) + log_density, dim=-1).mean()

    def likeliest(self) -> Tensor:
        """The mean of the mode with the greatest weight, [B, CHUNK * 2]; a mean over modes would be no expert's."""
        best = self.logits.argmax(-1)
        return self.means[torch.arange(len(best)), best]


class CloneNet(nn.Module):
    """An image -> a mixture of action chunks, from the places of a few key points and from the whole scene."""

    def __init__(self) -> None:
        super().__init__()
        self.fine = nn.Conv2d(3, 16, 5, stride=2, padding=2)
        self.mix = nn.Conv2d(16, _COARSE[0], 3, stride=2, padding=1)
        self.heat = nn.Conv2d(_COARSE[0], _KEYPOINTS, 3, padding=1)
        self.coarse = nn.ModuleList(nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in pairwise(_COARSE))
        self.scene = nn.Linear(_COARSE[-1] * (SIZE // 16) ** 2, 128)
        outputs = _MODES * (1 + 2 * 2 * CHUNK)
        self.straight = nn.Linear(2 * _KEYPOINTS, outputs)
        self.hidden = nn.Linear(2 * _KEYPOINTS + 128, _HIDDEN)
        self.bent = nn.Linear(_HIDDEN, outputs)
        self.register_buffer("grid", torch.linspace(-1, 1, SIZE // 4), persistent=False)

    def forward(self, images: Tensor) -> Modes:
        """[B, 3, 96, 96] -> the modes of each."""
        x = F.silu(self.mix(F.silu(self.fine(images))))
        heat = self.heat(x).flatten(2).softmax(-1).unflatten(2, (SIZE // 4, SIZE // 4))
        places = torch.cat(((heat.sum(2) * self.grid).sum(-1), (heat.sum(3) * self.grid).sum(-1)), dim=-1)
        for convolution in self.coarse:
            x = F.silu(convolution(x))
        seen = torch.cat((places, F.silu(self.scene(x.flatten(1)))), dim=-1)
        out = self.straight(places) + self.bent(F.silu(self.hidden(seen)))
        logits, means, spreads = out.split((_MODES, _MODES * 2 * CHUNK, _MODES * 2 * CHUNK), dim=-1)
        shape = (_MODES, 2 * CHUNK)
        return Modes(logits, means.unflatten(-1, shape), spreads.unflatten(-1, shape).clamp(-5, 1))
