"""A network in the place of the law of contact: what a disc on its path does to a shape, from distances to its outline.

All that it sees and says is in the frame of the disc's motion, so that it knows neither where nor how turned the shape
lies. Lengths in pixels, turns in radians.
"""

import time

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WIDTH, BLOCKS = 128, 3
REACH_PX = 15.3 * 96 / 512
"""The shape rests where the disc comes no nearer to its outline than this."""

_RING, _RING_PX = 24, 4.0
_PLACES = 6
_HALF_WAY_OUT_PX = 8.0
"""A turn counts as what it does at this distance."""
_BATCH, _RATE = 1024, 2e-3


def signed_distance(points: Tensor, outline: Tensor) -> tuple[Tensor, Tensor]:
    """Distances [B, P] of points [B, P, 2] from the closed polygon [V, 2], negative inside, and their gradients."""
    edge = outline.roll(-1, 0) - outline
    offset = points[:, :, None] - outline
    along = ((offset * edge).sum(-1) / edge.square().sum(-1)).clamp(0, 1)
    apart = offset - along[..., None] * edge
    least, nearest = apart.square().sum(-1).min(-1)
    above, end_above = offset[..., 1] >= 0, offset[..., 1] >= edge[:, 1]
    crosses = (above != end_above) & ((offset[..., 0] * edge[:, 1] < offset[..., 1] * edge[:, 0]) == (edge[:, 1] > 0))
    sign = 1 - 2 * (crosses.sum(-1) % 2)
    distance = sign * least.clamp_min(1e-9).sqrt()
    chosen = apart.gather(2, nearest[..., None, None].expand(-1, -1, 1, 2))[:, :, 0]
    return distance, chosen / distance[..., None]


def _turned(vectors: Tensor, angle: Tensor) -> Tensor:
    """Vectors [B, ..., 2] turned by angles [B]."""
    shape = (-1, *[1] * (vectors.dim() - 2))
    cosine, sine = angle.cos().view(shape), angle.sin().view(shape)
    x, y = vectors[..., 0], vectors[..., 1]
    return torch.stack((cosine * x - sine * y, sine * x + cosine * y), dim=-1)


def look(pose: Tensor, path: Tensor, target: Tensor, outline: Tensor, walls: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What the network sees [B, N], the direction of the motion [B], and which shapes are near the path [B].

    pose [B, 3] of the shape, outline [V, 2] about its centre, path [B, 2 + substeps, 2] of the disc from one substep
    before the frame on, target [B, 2] of its action, walls [4] left, top, right, bottom.
    """
    start, end = path[:, 1], path[:, -1]
    step = end - start
    heading = torch.atan2(step[:, 1], step[:, 0])
    near = signed_distance(_turned(path - pose[:, None, :2], -pose[:, 2]), outline)[0].amin(1) < REACH_PX
    places = path[:, 1:][:, torch.linspace(0, path.shape[1] - 2, _PLACES).round().long()]
    angles = torch.arange(_RING) * (2 * torch.pi / _RING)
    ring = _turned(_RING_PX * torch.stack((angles.cos(), angles.sin()), -1).expand(len(pose), -1, 2), heading)
    points = torch.cat((places, end[:, None] + ring), dim=1)
    distance, gradient = signed_distance(_turned(points - pose[:, None, :2], -pose[:, 2]), outline)
    normals = _turned(gradient[:, :_PLACES], pose[:, 2] - heading)
    corners = _turned(outline.expand(len(pose), -1, 2), pose[:, 2]) + pose[:, None, :2]
    to_low = corners.amin(1) - walls[:2]
    to_high = walls[2:] - corners.amax(1)
    from_walls = torch.cat((to_low, to_high), dim=1).clamp(-5, 5)
    inward = torch.tensor(((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))).expand(len(pose), 4, 2)
    vectors = torch.stack((pose[:, :2] - end, step, target - end, start - path[:, 0]), dim=1)
    seen = (
        distance,
        normals.flatten(1),
        _turned(places - start[:, None], -heading).flatten(1),
        _turned(vectors, -heading).flatten(1) / 5,
        from_walls,
        _turned(inward, -heading).flatten(1),
    )
    return torch.cat(seen, dim=1), heading, near


class ContactNetwork(nn.Module):
    """From what `look` sees to a shift and a turn (times `_HALF_WAY_OUT_PX`) in the frame of the motion, [B, 3]."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.enter = nn.Linear(inputs, WIDTH)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.SiLU(), nn.Linear(WIDTH, WIDTH)) for _ in range(BLOCKS)
        )
        self.leave = nn.Linear(WIDTH, 3)
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("spread", torch.ones(inputs))

    def forward(self, seen: Tensor) -> Tensor:
        thought = self.enter((seen - self.mean) / self.spread)
        for block in self.blocks:
            thought = thought + block(F.silu(thought))
        return self.leave(F.silu(thought))  # type: ignore[no-any-return]


def train(seen: Tensor, moved: Tensor, heading: Tensor, budget_s: float, seed: int) -> ContactNetwork:
    """A network trained on single steps for so much processor time: `seen` [N, inputs], `moved` [N, 3] of the shape."""
    torch.manual_seed(seed)
    network = ContactNetwork(seen.shape[1])
    network.mean, network.spread = seen.mean(0), seen.std(0).clamp_min(1e-3)
    wanted = torch.cat((_turned(moved[:, :2], -heading), moved[:, 2:] * _HALF_WAY_OUT_PX), dim=1)
    optimizer = torch.optim.AdamW(network.parameters(), _RATE, weight_decay=1e-4)
    began_s, share = time.process_time(), 0.0
    while share < 1:
        for group in optimizer.param_groups:
            group["lr"] = _RATE * min(1.0, 20 * share + 0.05) * (1 - share)
        rows = torch.randint(len(seen), (_BATCH,))
        loss = F.smooth_l1_loss(network(seen[rows]), wanted[rows], beta=0.02)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        share = (time.process_time() - began_s) / budget_s
    return network.eval()


@torch.inference_mode()
def push(network: ContactNetwork, pose: Tensor, path: Tensor, target: Tensor, outline: Tensor, walls: Tensor) -> Tensor:
    """Where shapes are after a frame [B, 3]; arguments as of `look`."""
    seen, heading, near = look(pose, path, target, outline, walls)
    said = network(seen)
    motion = torch.cat((_turned(said[:, :2], heading), said[:, 2:] / _HALF_WAY_OUT_PX), dim=1)
    return pose + motion * near[:, None]
