"""The next image as a background with rigid layers on it: whatever moves keeps its shape.

A displacement per pixel (`motion` models) lets a rigid thing bend a little in every frame; after thirty frames a T is a
worm. Here the network cuts the previous image into a few layers and moves each as a whole, by one translation and one
turn, as a sprite. What has become free is filled in, and a small convolution without any view of the rest of the
picture repairs the edges that resampling has softened: it can sharpen a thing, but not fade it out here and in there.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

MOTION_SCALE = (4.0, 4.0, 0.2)
"""Pixels, pixels, radians per unit of the network's output: about what things move in a frame."""

_REFINE_CHANNELS = 16


@dataclass(frozen=True)
class Layered:
    """A next image [F, C, H, W] and how it came about.

    `motions` float32 [F, layers, 3]: pixels right and down, radians from x towards y, about the layer's centroid;
    `owners` [F, 1 + layers, H, W]: logits of whose each pixel of the previous image is, the background's first.
    """

    image: Tensor
    motions: Tensor
    owners: Tensor


class RigidLayers(nn.Module):
    """Moves `count` layers of the previous image and paints them over its background, the last one on top."""

    def __init__(self, count: int, channels: int, dim: int) -> None:
        """`channels` of the image, `dim` of the tokens."""
        super().__init__()
        self.count, self.channels = count, channels
        self.vote_in, self.vote = nn.Linear(dim, dim), nn.Linear(dim, 4 * count)
        self.refine_in = nn.Conv2d(channels + count, _REFINE_CHANNELS, 3, padding=1)
        self.refine = nn.Conv2d(_REFINE_CHANNELS, channels, 3, padding=1)
        for last in (self.vote, self.refine):  # an untrained model repeats the previous image
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)  # type: ignore[arg-type]

    @property
    def outputs(self) -> int:
        """Channels of the pixel head: who owns each pixel (background first), and what to fill in."""
        return 1 + self.count + self.channels

    def forward(self, previous: Tensor, tokens: Tensor, output: Tensor) -> Layered:
        """previous [F, C, H, W] in -1..1, tokens [F, S, d], output [F, outputs, H, W] of the pixel head."""
        previous, output = previous.float(), output.float()
        motion = self._motions(tokens)
        owners = output[:, : 1 + self.count]
        masks = owners.softmax(dim=1)
        layers = masks[:, 1:]
        image = previous + output[:, 1 + self.count :] * (1 - masks[:, :1])
        grid = source_grid(motion, centroids(layers.detach()), *previous.shape[2:])
        moved_masks = []
        for index in range(self.count):
            mask = layers[:, index : index + 1]
            moved = _sample(torch.cat((previous * mask, mask), dim=1), grid[:, index])
            image = image * (1 - moved[:, -1:]) + moved[:, :-1]
            moved_masks.append(moved[:, -1:])
        seen = torch.cat((image, *moved_masks), dim=1)
        edges = F.silu(self.refine_in(seen.to(self.refine_in.weight.dtype)))
        return Layered(image + self.refine(edges).float(), motion, owners)

    def _motions(self, tokens: Tensor) -> Tensor:
        """Every token votes on every layer's motion, with a weight that says how well it can tell."""
        votes = self.vote(F.silu(self.vote_in(tokens))).float().unflatten(2, (self.count, 4))
        weights = votes[..., 3:].softmax(dim=1)
        return (weights * votes[..., :3]).sum(dim=1) * torch.tensor(MOTION_SCALE, device=votes.device)


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
