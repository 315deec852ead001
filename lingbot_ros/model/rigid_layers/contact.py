"""What a driven disc does to a shape that it meets: a law of contact with learned constants, and what it leaves over.

The shape is pushed along the normal as far as the disc advances, and turns about its centre as its inertia lets it;
where it overlaps the disc or a wall, it gives way a little in every substep. Nothing keeps moving by itself, nothing
rubs. The distances are those to the shape's own outline, so that the law holds for any shape. A network, in the frame of
the motion, corrects what such a law does not know.
"""

import torch
from torch import Tensor, nn

from lingbot_ros.model.rigid_layers.outline import two_contacts

_ROUNDS = 20
"""Passes over the contacts when there are several: as many as it takes until they agree."""


class ContactLaw(nn.Module):
    """Constants in pixels and shares per substep; `walls` are left, top, right, bottom."""

    walls: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.reach = nn.Parameter(torch.tensor(1.0))
        self.gyration = nn.Parameter(torch.tensor(1.0))
        self.slop = nn.Parameter(torch.tensor(0.0))
        self.yielding = nn.Parameter(torch.tensor(0.1))
        self.hold = nn.Parameter(torch.tensor(2.8))
        self.register_buffer("walls", torch.tensor((-1e3, -1e3, 1e3, 1e3)))

    def forward(self, pose: Tensor, outline: Tensor, centre: Tensor, path: Tensor) -> Tensor:
        """Where pushed shapes end up.

        pose [B, 3] of the layers, their physical outline [B, V, 2] and centre of turning [B, 2] in the layer's frame;
        path [B, 1 + substeps + 1, 2] of the disc, the first one substep before the frame begins. Returns poses [B, 3].
        """
        from_centre = outline - centre[:, None]
        place = pose[:, :2] + _turn(centre, pose[:, 2])
        angle = pose[:, 2]
        near_wall = self._near_wall(place, from_centre)
        for k in range(1, path.shape[1] - 1):
            shift, turn = self._give(place, angle, from_centre, path[:, k], path[:, k] - path[:, k - 1], near_wall)
            place, angle = place + shift, angle + turn
        return torch.cat((place - _turn(centre, angle), angle[:, None]), dim=-1)

    def _near_wall(self, place: Tensor, from_centre: Tensor) -> bool:
        reach = from_centre.norm(dim=-1).amax(-1)[:, None] + 6.0  # no frame moves a thing farther than a few pixels
        return bool(((place - reach < self.walls[:2]) | (place + reach > self.walls[2:])).any())

    def _give(
        self, place: Tensor, angle: Tensor, from_centre: Tensor, disc: Tensor, step: Tensor, near_wall: bool
    ) -> tuple[Tensor, Tensor]:
        """Shift [B, 2] and turn [B] of one substep."""
        local = _turn(disc - place, -angle)
        found = two_contacts(local[:, None], from_centre)
        overlaps = self.reach - torch.cat((found[0], found[2]), dim=1)
        normals = -_turn(torch.cat((found[1], found[3]), dim=1), angle[:, None])
        levers = _cross((disc - place)[:, None], normals) / self.gyration
        wants = self._wanted(overlaps, (step[:, None] * normals).sum(-1))
        touching = overlaps > 0
        if near_wall:
            walls = self._at_walls(place, angle, from_centre)
            normals, levers = torch.cat((normals, walls[0]), dim=1), torch.cat((levers, walls[1]), dim=1)
            wants, touching = torch.cat((wants, walls[2]), dim=1), torch.cat((touching, walls[3]), dim=1)
        count = int(touching.sum(1).max())
        if count == 0:
            return torch.zeros_like(place), torch.zeros_like(angle)
        which = touching.to(wants.dtype).topk(count, dim=1).indices
        normals = normals.gather(1, which[..., None].expand(-1, -1, 2))
        levers, wants, touching = (values.gather(1, which) for values in (levers, wants, touching))
        if count == 1:
            push = wants[:, 0] * touching[:, 0] / (1 + levers[:, 0] ** 2)
            return push[:, None] * normals[:, 0], push * levers[:, 0] / self.gyration
        return (self._wedged if count == 2 else self._settle)(normals, levers, wants, touching)

    def _wanted(self, overlap: Tensor, approach: Tensor) -> Tensor:
        """How far a contact must move along its normal."""
        return torch.where(overlap > 0, approach.clamp_min(0) + self.yielding * (overlap - self.slop).clamp_min(0), 0.0)

    def _at_walls(self, place: Tensor, angle: Tensor, from_centre: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Each wall against the two corners that are deepest in it.

        Normals [B, 8, 2], levers, wants and whether they touch [B, 8].
        """
        corners = _turn(from_centre, angle[:, None])
        at = place[:, None] + corners
        depth = torch.cat((self.walls[:2] - at, at - self.walls[2:]), dim=-1)  # [B, V, 4]
        deepest, which = depth.topk(2, dim=1)
        inward = corners.new_tensor(((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))).repeat(2, 1)
        corner = corners.gather(1, which.flatten(1)[..., None].expand(-1, -1, 2))
        lever = _cross(corner, inward) / self.gyration
        depths = deepest.flatten(1)
        depths = depths * (depths < self.hold)
        return inward.expand(len(place), 8, 2), lever, self._wanted(depths, torch.zeros_like(lever)), depths > 0

    def _wedged(self, normals: Tensor, levers: Tensor, wants: Tensor, touching: Tensor) -> tuple[Tensor, Tensor]:
        """Two pushes [B, 2], of an inner corner or against a wall, in closed form, or that one of them which satisfies both."""
        own = 1 + levers * levers
        mutual = (normals[:, 0] * normals[:, 1]).sum(-1) + levers[:, 0] * levers[:, 1]
        alone = wants / own
        is_enough = (alone * mutual[:, None] >= wants.flip(1)) | ~touching.flip(1)
        determinant = (own[:, 0] * own[:, 1] - mutual * mutual).clamp_min(1e-6)
        both = (own.flip(1) * wants - mutual[:, None] * wants.flip(1)) / determinant[:, None]
        one = torch.where(is_enough[:, :1], alone * alone.new_tensor((1.0, 0.0)), alone * alone.new_tensor((0.0, 1.0)))
        pushes = torch.where(is_enough.any(1, keepdim=True), one, both.clamp_min(0)) * touching
        return (pushes[..., None] * normals).sum(1), (pushes * levers).sum(1) / self.gyration

    def _settle(self, normals: Tensor, levers: Tensor, wants: Tensor, touching: Tensor) -> tuple[Tensor, Tensor]:
        """Pushes along normals [B, C, 2] with which every touching contact moves as it wants at least."""
        mass = 1 / (1 + levers * levers)
        pushes = [torch.zeros_like(wants[:, 0])] * wants.shape[1]
        shift, turn = torch.zeros_like(normals[:, 0]), torch.zeros_like(wants[:, 0])
        for _ in range(_ROUNDS):
            for c in range(wants.shape[1]):
                moved = (shift * normals[:, c]).sum(-1) + turn * levers[:, c]
                push = (pushes[c] + (wants[:, c] - moved) * mass[:, c]).clamp_min(0) * touching[:, c]
                more = push - pushes[c]
                pushes[c] = push
                shift = shift + more[:, None] * normals[:, c]
                turn = turn + more * levers[:, c]
        return shift, turn / self.gyration


def _turn(points: Tensor, angle: Tensor) -> Tensor:
    cosine, sine = angle.cos(), angle.sin()
    x = cosine * points[..., 0] - sine * points[..., 1]
    return torch.stack((x, sine * points[..., 0] + cosine * points[..., 1]), dim=-1)


def _cross(a: Tensor, b: Tensor) -> Tensor:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
