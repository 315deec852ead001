"""The next image as a background with rigid layers on it: whatever moves keeps its shape.

A displacement per pixel (`motion` models) lets a rigid thing bend a little in every frame; after thirty frames a T is a
worm. Here the network cuts the previous image into a few layers, every pixel says where it thinks it goes, and each
layer moves as a whole by the one translation and the one turn that agree best with what its pixels say. Then the layers
look at each other: what a push turns depends on where two things are and how they move, which a few numbers say better
than many pixels. What has become free is filled in, and a small convolution without any view of the rest of the image
repairs the edges that resampling has softened: it can sharpen a thing, but not fade it out here and in there.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SHARPNESS = 3.0
"""Masks are cut sharper than the network is sure of them.

What is a tenth transparent is gone after thirty frames; and the thousandths of a mask that lie all over the image
would outweigh the thing itself in moments and turns, because they are far away.
"""

SMALLEST_SPREAD_PX2 = 1.0
"""Added to a layer's mean squared distance from its centre: a dot of a pixel has no turn that its pixels could tell."""

_REFINE_CHANNELS = 16
_MEETING_WIDTH = 128
_REACH_PX = 10.0
"""Shapes and distances are told in this unit: about the size of a thing."""
_LAYER_FEATURES = 2 + 7 + 3
"""A layer's centre, the moments of its shape, and its motion."""


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
    """Moves `count` layers of the previous image and paints them over its background, the last one on top."""

    def __init__(self, count: int, channels: int) -> None:
        """`channels` of the image."""
        super().__init__()
        self.count, self.channels = count, channels
        self.meet_in = nn.Linear(count * _LAYER_FEATURES + 2 * count * (count - 1), _MEETING_WIDTH)
        self.meet_mix = nn.Linear(_MEETING_WIDTH, _MEETING_WIDTH)
        self.meet = nn.Linear(_MEETING_WIDTH, 3 * count)
        self.refine_in = nn.Conv2d(channels + count, _REFINE_CHANNELS, 3, padding=1)
        self.refine = nn.Conv2d(_REFINE_CHANNELS, channels, 3, padding=1)
        for last in (self.meet, self.refine):  # an untrained model repeats the previous image
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)  # type: ignore[arg-type]

    @property
    def outputs(self) -> int:
        """Channels of the pixel head: whose a pixel is (background first), a filling, a displacement, its weight."""
        return 1 + self.count + self.channels + 3

    def forward(self, previous: Tensor, output: Tensor) -> LayeredPrediction:
        """previous [F, C, H, W] in -1..1, output [F, outputs, H, W] of the pixel head, displacements in pixels."""
        previous = previous.float()
        owners, filling, flow, weight = output.float().split((1 + self.count, self.channels, 2, 1), dim=1)
        masks = softmax_of_channels(SHARPNESS * owners)
        layers = masks[:, 1:]
        solid = layers.detach()  # masks are cut by what they show, not bent to make a motion fit
        centre = centroids(solid)
        motion = rigid_motions(solid * weight.clamp(-4, 4).exp(), flow, centre)
        motion = motion + self._meeting(solid, centre, motion)
        image = previous + filling * (1 - masks[:, :1])
        grid = source_grid(motion, centre, *previous.shape[2:])
        moved_masks = []
        for index in range(self.count):
            mask = layers[:, index : index + 1]
            moved = _sample(torch.cat((previous * mask, mask), dim=1), grid[:, index])
            image = image * (1 - moved[:, -1:]) + moved[:, :-1]
            moved_masks.append(moved[:, -1:])
        seen = torch.cat((image, *moved_masks), dim=1)
        edges = F.silu(self.refine_in(seen.to(self.refine_in.weight.dtype)))
        return LayeredPrediction(image + self.refine(edges).float(), motion, owners)

    def _meeting(self, solid: Tensor, centre: Tensor, motion: Tensor) -> Tensor:
        """What the layers' places, shapes and motions say of each other's motions: a correction [F, count, 3]."""
        unit = motion.new_tensor((_REACH_PX, _REACH_PX, 1.0))
        half = motion.new_tensor((solid.shape[3], solid.shape[2])) / 2
        alone = torch.cat((centre / half - 1, shapes(solid, centre), motion * 10 / unit), dim=-1)
        apart = (centre[:, None] - centre[:, :, None]) / _REACH_PX
        pairs = [one * self.count + other for one in range(self.count) for other in range(self.count) if one != other]
        others = apart.flatten(1, 2).index_select(1, torch.tensor(pairs, dtype=torch.long, device=motion.device))
        seen = torch.cat((alone.flatten(1), others.flatten(1)), dim=1).to(self.meet.weight.dtype)
        thought = F.silu(self.meet_mix(F.silu(self.meet_in(seen))))
        return self.meet(thought).float().unflatten(1, (self.count, 3)) * unit / 10


def softmax_of_channels(x: Tensor) -> Tensor:
    """Softmax over axis 1 of [F, C, H, W]."""
    if torch.onnx.is_in_onnx_export():  # compiled engines have kernels for the last axis, and bring it there and back
        powers = (x - x.amax(dim=1, keepdim=True)).exp()
        return powers / powers.sum(dim=1, keepdim=True)
    return x.softmax(dim=1)


def shapes(masks: Tensor, centre: Tensor) -> Tensor:
    """Second and third central moments of masks [F, K, H, W] over their mass, in units of `_REACH_PX`: [F, K, 7].

    The second say how long a thing is and which way it lies, the third which end is which.
    """
    height, width = masks.shape[2:]
    x = (torch.arange(width, device=masks.device) - centre[..., 0, None, None]) / _REACH_PX
    y = (torch.arange(height, device=masks.device)[:, None] - centre[..., 1, None, None]) / _REACH_PX
    share = masks / masks.sum(dim=(2, 3), keepdim=True).clamp_min(1e-6)
    products = (x * x, x * y, y * y, x * x * x, x * x * y, x * y * y, y * y * y)
    return torch.stack([(share * product).sum(dim=(2, 3)) for product in products], dim=-1)


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
