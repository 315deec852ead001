"""What a push does to the block, as a network."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lingbot_ros.tasks.pusht.geometry import CENTRE_OF_GRAVITY
from lingbot_ros.tasks.pusht.learned.pushes import REACHES, Pushes

_HIDDEN = 256
_UNIT = 60.0
"""Half the width of the block, units."""


class PushNet(nn.Module):
    """Pushes as `features` says -> shift over `_UNIT` and turn in radians at each of `REACHES`, [n, reaches, 3]."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(7, _HIDDEN)
        self.second = nn.Linear(_HIDDEN, _HIDDEN)
        self.third = nn.Linear(_HIDDEN, _HIDDEN)
        self.last = nn.Linear(_HIDDEN, len(REACHES) * 3)

    def forward(self, pushes: Tensor) -> Tensor:
        x = F.silu(self.first(pushes))
        x = F.silu(self.second(x))
        x = x + F.silu(self.third(x))
        return self.last(x).unflatten(-1, (len(REACHES), 3))


def features(pushes: Pushes) -> Tensor:
    """float32 [n, 7]: place, normal, direction, and the lever of the push about the centre of gravity."""
    offset = (pushes.at - CENTRE_OF_GRAVITY) / _UNIT
    lever = offset[:, 0] * pushes.along[:, 1] - offset[:, 1] * pushes.along[:, 0]
    return torch.from_numpy(np.column_stack([offset, pushes.outward, pushes.along, lever])).float()


def to_effects(output: Tensor) -> Tensor:
    """What the network says, as units and radians."""
    return output * output.new_tensor((_UNIT, _UNIT, 1.0))


def from_effects(effects: Tensor) -> Tensor:
    """The inverse of `to_effects`."""
    return effects / effects.new_tensor((_UNIT, _UNIT, 1.0))
