"""The next image as a background with rigid layers on it: whatever moves keeps its shape.

A displacement per pixel (`motion` models) lets a rigid thing bend a little in every frame; after thirty frames a T is a
worm. Here the previous image is cut into a few layers, first by the colours of each pixel and its neighbours, which the
network corrects. The last layer is what the action drives: it moves by a law of its own. Every other layer moves as a
whole: as the driven one pushes it, plus the one translation and the one turn that agree best with what the network says
of its pixels. What has become free is filled in. At its edge a layer is freed of the background that shone through, or
it would carry that along. A small convolution without any view of the rest of the image then repairs the edges that
resampling has softened: it can sharpen a thing, but not fade it out here and in there.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lingbot_ros.model.rigid_layers.driven import DrivenMotion
from lingbot_ros.model.rigid_layers.interaction import Interaction

SHARPNESS = 3.0
"""Masks are cut sharper than the network is sure of them.

What is a tenth transparent is gone after thirty frames; and the thousandths of a mask that lie all over the image
would outweigh the thing itself in moments and turns, because they are far away.
"""

SMALLEST_SPREAD_PX2 = 1.0
"""Added to a layer's mean squared distance from its centre: a dot of a pixel has no turn that its pixels could tell."""

_REFINE_CHANNELS = 16
_COLOUR_CHANNELS = 24
_SURELY_BACKGROUND, _SURELY_MIXED = 0.1, 0.3
"""Of a pixel with less of the layers than the first what is seen is the background; with more than the second it is
painted. A little paint in every frame would change what nothing ever covered."""
_LEAST_SHARE = 0.3
"""Where less of a pixel belongs to layers, their own colour can no longer be told from it."""


@dataclass(frozen=True)
class LayeredPrediction:
    """A next image [F, C, H, W] and how it came about.

    `motions` float32 [F, layers, 3]: pixels right and down, radians from x towards y, about the layer's centroid;
    `owners` [F, 1 + layers, H, W]: logits of whose each pixel of the previous image is, the background's first.
    """

    image: Tensor
    motions: Tensor
    owners: Tensor


class RigidLayers(nn.Module):
    """Moves `count` layers of the previous image and paints them over its background, the last one, driven, on top."""

    def __init__(self, count: int, channels: int, dim: int) -> None:
        """`channels` of the image, `dim` of the vector that drives a frame."""
        super().__init__()
        self.count, self.channels = count, channels
        self.by_colour = nn.Sequential(
            nn.Conv2d(channels, _COLOUR_CHANNELS, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(_COLOUR_CHANNELS, _COLOUR_CHANNELS, 1),
            nn.SiLU(),
            nn.Conv2d(_COLOUR_CHANNELS, 1 + count, 1),
        )
        self.driven = DrivenMotion(dim)
        self.interaction = Interaction()
        self.refine_in = nn.Conv2d(channels + count, _REFINE_CHANNELS, 3, padding=1)
        self.refine = nn.Conv2d(_REFINE_CHANNELS, channels, 3, padding=1)
        nn.init.zeros_(self.refine.weight)
        nn.init.zeros_(self.refine.bias)  # type: ignore[arg-type]

    @property
    def outputs(self) -> int:
        """Channels of the pixel head: whose a pixel is (background first), what is behind the layers in -1..1, a
        displacement, its weight."""
        return 1 + self.count + self.channels + 3

    def forward(self, previous: Tensor, output: Tensor, before: Tensor, control: Tensor) -> LayeredPrediction:
        """previous and the image `before` it [F, C, H, W] in -1..1, control [F, dim];
        output [F, outputs, H, W] of the pixel head, displacements in pixels."""
        previous = previous.float()
        owners, filling, flow, weight = output.float().split((1 + self.count, self.channels, 2, 1), dim=1)
        owners = owners + self.colours(previous)
        masks = softmax_of_channels(SHARPNESS * owners)
        layers = masks[:, 1:]
        solid = layers.detach()  # masks are cut by what they show, not bent to make a motion fit
        centre = centroids(solid)
        driven = self.drive(centre[:, -1], self.last_motion(centre[:, -1], before), control, previous.shape[2:])
        motion = self._motions(solid, centre, driven, flow, weight)
        background = softmax_of_channels(owners)[:, :1]
        hidden = ((1 - background - _SURELY_BACKGROUND) / (_SURELY_MIXED - _SURELY_BACKGROUND)).clamp(0, 1)
        # A colour, not a change of one: what is painted again and again stays what it is.
        behind = previous + (filling.clamp(-1, 1) - previous) * hidden
        own = (previous + (previous - behind) * background / (1 - background).clamp_min(_LEAST_SHARE)).clamp(-1, 1)
        image, moved_masks = behind, []
        grid = source_grid(motion, centre, *previous.shape[2:])
        for index in range(self.count):
            mask = layers[:, index : index + 1]
            moved = _sample(torch.cat((own * mask, mask), dim=1), grid[:, index])
            image = image * (1 - moved[:, -1:]) + moved[:, :-1]
            moved_masks.append(moved[:, -1:])
        seen = torch.cat((image, *moved_masks), dim=1)
        edges = F.silu(self.refine_in(seen.to(self.refine_in.weight.dtype)))
        return LayeredPrediction(image + self.refine(edges).float(), motion, owners)

    def colours(self, image: Tensor) -> Tensor:
        """Logits [F, 1 + count, H, W] of whose each pixel is, by the colours of it and its neighbours."""
        return self.by_colour(image.to(self.refine_in.weight.dtype)).float()

    def last_motion(self, centre: Tensor, before: Tensor) -> Tensor:
        """How the driven layer, now at `centre` [F, 2], came there from the image before: [F, 2] in pixels."""
        masks = softmax_of_channels(SHARPNESS * self.colours(before.float()))[:, -1:].detach()
        return centre - centroids(masks)[:, 0]

    def drive(self, centre: Tensor, last: Tensor, control: Tensor, size: tuple[int, ...]) -> Tensor:
        """The driven layer's motion [F, 2] in an image of `size` (rows, columns)."""
        half = centre.new_tensor((size[1], size[0])) / 2
        return self.driven((centre + 0.5) / half - 1, last, control)

    def _motions(self, solid: Tensor, centre: Tensor, driven: Tensor, flow: Tensor, weight: Tensor) -> Tensor:
        """[F, count, 3]. What a push does is told of the driven motion as it is, not of one that suits the push."""
        still = torch.zeros_like(driven[:, :1])
        if self.count == 1:
            return torch.cat((driven, still), dim=1)[:, None]
        others, middles = solid[:, :-1], centre[:, :-1]
        motion = rigid_motions(others * weight.clamp(-4, 4).exp(), flow, middles)
        pushed = [
            self.interaction(others[:, k], middles[:, k], centre[:, -1], driven.detach()) for k in range(self.count - 1)
        ]
        return torch.cat((motion + torch.stack(pushed, dim=1), torch.cat((driven, still), dim=1)[:, None]), dim=1)


def softmax_of_channels(x: Tensor) -> Tensor:
    """Softmax over axis 1 of [F, C, H, W]."""
    if torch.onnx.is_in_onnx_export():  # compiled engines have kernels for the last axis, and bring it there and back
        powers = (x - x.amax(dim=1, keepdim=True)).exp()
        return powers / powers.sum(dim=1, keepdim=True)
    return x.softmax(dim=1)


def rigid_motions(weights: Tensor, flow: Tensor, centre: Tensor) -> Tensor:
    """The rigid motions about `centre` [F, K, 2] nearest to a flow [F, 2, H, W] in weighted least squares: [F, K, 3].

    weights [F, K, H, W] of each pixel's word on layer k. The turn is that of the orthogonal Procrustes problem (Kabsch
    1976) in the plane; the translation is that of `centre` itself.
    """
    height, width = flow.shape[2:]
    weights = weights / weights.sum(dim=(2, 3), keepdim=True).clamp_min(1e-6)
    x = torch.arange(width, device=flow.device, dtype=flow.dtype) - centre[..., 0, None, None]
    y = torch.arange(height, device=flow.device, dtype=flow.dtype)[:, None] - centre[..., 1, None, None]

    def mean(values: Tensor) -> Tensor:
        return (weights * values).sum(dim=(2, 3))

    mean_x, mean_y = mean(x.expand_as(weights)), mean(y.expand_as(weights))
    drift_x, drift_y = mean(flow[:, :1]), mean(flow[:, 1:])
    from_x, from_y = x - mean_x[..., None, None], y - mean_y[..., None, None]
    to_x = from_x + flow[:, :1] - drift_x[..., None, None]
    to_y = from_y + flow[:, 1:] - drift_y[..., None, None]
    turn = torch.atan2(mean(from_x * to_y - from_y * to_x), mean(from_x * to_x + from_y * to_y) + SMALLEST_SPREAD_PX2)
    # The weighted mean moves by the drift; the centre is elsewhere, and turns about it.
    cosine, sine = turn.cos(), turn.sin()
    moved_x = mean_x + drift_x - (cosine * mean_x - sine * mean_y)
    moved_y = mean_y + drift_y - (sine * mean_x + cosine * mean_y)
    return torch.stack((moved_x, moved_y, turn), dim=-1)


def centroids(masks: Tensor) -> Tensor:
    """Centre of mass of masks [F, K, H, W] in pixels: [F, K, 2] as (x, y)."""
    height, width = masks.shape[2:]
    x = torch.arange(width, device=masks.device, dtype=masks.dtype)
    y = torch.arange(height, device=masks.device, dtype=masks.dtype)
    mass = masks.sum(dim=(2, 3)).clamp_min(1e-6)
    return torch.stack(((masks.sum(dim=2) * x).sum(dim=2), (masks.sum(dim=3) * y).sum(dim=2)), dim=-1) / mass[..., None]


def source_grid(motion: Tensor, centre: Tensor, height: int, width: int) -> Tensor:
    """Where each pixel of a layer moved by `motion` [F, K, 3] about `centre` [F, K, 2] came from: [F, K, H, W, 2].

    In the coordinates of `grid_sample`, -1..1 from edge to edge.
    """
    x = torch.arange(width, device=motion.device, dtype=motion.dtype)
    y = torch.arange(height, device=motion.device, dtype=motion.dtype)[:, None]
    arrived = centre + motion[..., :2]
    dx = x - arrived[..., 0, None, None]
    dy = y - arrived[..., 1, None, None]
    cosine, sine = motion[..., 2, None, None].cos(), motion[..., 2, None, None].sin()
    source_x = centre[..., 0, None, None] + cosine * dx + sine * dy
    source_y = centre[..., 1, None, None] - sine * dx + cosine * dy
    return torch.stack(((2 * source_x + 1) / width - 1, (2 * source_y + 1) / height - 1), dim=-1)


def _sample(image: Tensor, grid: Tensor) -> Tensor:
    return F.grid_sample(image, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
