"""How one thing moves another: from what a layer looks like around the one that is driven, in the frame of its motion.

A push depends on where the contact is, which way it goes and how the pushed thing's mass lies, and on nothing else in
the image. Told that way, every direction of a push is the same case, and its mirror image is known without an example.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lingbot_ros.model.float32 import linear_float32

REACH_PX = 10.0
"""Shapes, distances and motions are told in this unit: about the size of a thing."""

_WIDTH = 256
_ALONG_PX = torch.linspace(-4.0, 16.0, 16)
_ACROSS_PX = torch.linspace(-9.0, 9.0, 15)
_MOMENTS = 7
_OTHERS = 2 + _MOMENTS + 1
FEATURES = len(_ALONG_PX) * len(_ACROSS_PX) + _OTHERS
_MIRROR = torch.tensor((1.0, -1.0, *(1.0, -1.0, 1.0, 1.0, -1.0, 1.0, -1.0), 1.0))
"""What becomes of the features after the samples when left and right of the motion are exchanged."""
_STILL_PX = 1e-4


class Interaction(nn.Module):
    """The motion of a layer [F, 3], pixels and radians, that a driven layer's motion brings about."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = nn.Linear(FEATURES, _WIDTH)
        self.mix = nn.Linear(_WIDTH, _WIDTH)
        self.moves = nn.Linear(_WIDTH, 3)
        nn.init.zeros_(self.moves.weight)
        nn.init.zeros_(self.moves.bias)

    def forward(self, mask: Tensor, centre: Tensor, driver: Tensor, motion: Tensor) -> Tensor:
        """mask [F, H, W] and centre [F, 2] of the layer; centre and motion [F, 2] of the driven one, all in pixels."""
        return to_image(self.push(features(mask, centre, driver, motion)), motion)

    def push(self, seen: Tensor) -> Tensor:
        """`features` [F, n] -> translation along and across the driven motion and turn, per unit of it: [F, 3].

        What is mirrored moves in the mirror image, exactly.
        """
        signs = seen.new_tensor((1.0, -1.0, -1.0))
        return (self._moved(seen) + self._moved(mirrored(seen)) * signs) / 2

    def _moved(self, seen: Tensor) -> Tensor:
        hidden = F.silu(linear_float32(self.seen, seen))
        return linear_float32(self.moves, F.silu(linear_float32(self.mix, hidden)))


def features(mask: Tensor, centre: Tensor, driver: Tensor, motion: Tensor) -> Tensor:
    """What decides a push: the mask around the driven layer, the shape's place and moments, the motion's length."""
    along, length = _direction(motion)
    across = torch.stack((-along[:, 1], along[:, 0]), dim=-1)
    ahead, aside = _ALONG_PX.to(mask.device), _ACROSS_PX.to(mask.device)
    points = ahead[:, None, None] * along[:, None, None] + aside[:, None] * across[:, None, None]
    points = points + driver[:, None, None]
    size = mask.new_tensor((mask.shape[2], mask.shape[1]))
    samples = F.grid_sample(mask[:, None], (2 * points + 1) / size - 1, align_corners=False)
    away = centre - driver
    place = torch.stack(((away * along).sum(-1), (away * across).sum(-1)), dim=-1) / REACH_PX
    return torch.cat((samples.flatten(1), place, _moments(mask, centre, along), length / REACH_PX), dim=1)


def mirrored(seen: Tensor) -> Tensor:
    """The same `features` [F, n] with left and right of the motion exchanged."""
    samples = seen[:, :-_OTHERS].unflatten(1, (-1, len(_ACROSS_PX))).flip(2).flatten(1)
    return torch.cat((samples, seen[:, -_OTHERS:] * _MIRROR.to(seen.device)), dim=1)


def to_image(push: Tensor, motion: Tensor) -> Tensor:
    """A push [F, 3] of the frame of a driven motion [F, 2] as a motion [F, 3] in pixels right and down, radians."""
    x, y = motion[:, 0], motion[:, 1]
    length = motion.square().sum(-1).sqrt()
    shift = torch.stack((push[:, 0] * x - push[:, 1] * y, push[:, 0] * y + push[:, 1] * x), dim=-1)
    return torch.cat((shift, (push[:, 2] * length / REACH_PX)[:, None]), dim=1)


def to_push(moved: Tensor, motion: Tensor) -> Tensor:
    """The inverse of `to_image`; where nothing is driven, 0."""
    along, length = _direction(motion)
    across = torch.stack((-along[:, 1], along[:, 0]), dim=-1)
    told = torch.stack(((moved[:, :2] * along).sum(-1), (moved[:, :2] * across).sum(-1), moved[:, 2] * REACH_PX), -1)
    return torch.where(length > _STILL_PX, told / length.clamp_min(_STILL_PX), torch.zeros_like(told))


def _direction(motion: Tensor) -> tuple[Tensor, Tensor]:
    """Unit vectors [F, 2] and lengths [F, 1]."""
    length = motion.square().sum(-1, keepdim=True).sqrt()
    return motion / length.clamp_min(_STILL_PX), length


def _moments(mask: Tensor, centre: Tensor, along: Tensor) -> Tensor:
    """Second and third central moments of masks [F, H, W] over their mass, in units of `REACH_PX`: [F, 7].

    Their first axis is `along` [F, 2]. The second ones say how long a thing is and which way it lies, the third which
    end is which.
    """
    height, width = mask.shape[1:]
    dx = (torch.arange(width, device=mask.device) - centre[:, 0, None, None]) / REACH_PX
    dy = (torch.arange(height, device=mask.device)[:, None] - centre[:, 1, None, None]) / REACH_PX
    cosine, sine = along[:, 0, None, None], along[:, 1, None, None]
    x, y = cosine * dx + sine * dy, cosine * dy - sine * dx
    share = mask / mask.sum(dim=(1, 2), keepdim=True).clamp_min(1e-6)
    products = (x * x, x * y, y * y, x * x * x, x * x * y, x * y * y, y * y * y)
    return torch.stack([(share * product).sum(dim=(1, 2)) for product in products], dim=-1)
