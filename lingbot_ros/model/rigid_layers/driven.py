"""The law by which the driven layer moves: from where it is, how it moved last, and the action, and from no pixels."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lingbot_ros.model.float32 import linear_float32
from lingbot_ros.model.rigid_layers.interaction import REACH_PX

_WIDTH = 192


class DrivenMotion(nn.Module):
    """A layer's translation [F, 2], pixels right and down."""

    def __init__(self, dim: int) -> None:
        """`dim` of the vector that drives a frame."""
        super().__init__()
        self.seen = nn.Linear(4 + dim, _WIDTH)
        self.mix = nn.Linear(_WIDTH, _WIDTH)
        self.moves = nn.Linear(_WIDTH, 2)
        nn.init.zeros_(self.moves.weight)
        nn.init.zeros_(self.moves.bias)

    def forward(self, place: Tensor, last: Tensor, control: Tensor) -> Tensor:
        """place [F, 2] in -1..1 from edge to edge, last motion [F, 2] in pixels, control [F, dim]."""
        seen = torch.cat((place, last / REACH_PX, control.float()), dim=1)
        hidden = F.silu(linear_float32(self.seen, seen))
        return linear_float32(self.moves, F.silu(linear_float32(self.mix, hidden))) * REACH_PX
