"""What a driven disc does to a shape that it meets: a law with a handful of learned constants.

The shape is pushed along the normal as far as the disc advances, and turns about its centre as its inertia lets it;
where it overlaps the disc or a wall, it gives way a little in every substep. Nothing keeps moving by itself, nothing
rubs. The distances are those to the shape's own outline, so that the law holds for any shape.
"""

import torch
from torch import Tensor, nn

from lingbot_ros.model.rigid_layers.outline import Edges

_FARTHEST_PX = 6.0
"""A frame moves a shape no farther than this towards a wall that it was not near before."""

_ROUNDS = 20
"""Passes over contacts with walls: about as many as it takes until they agree."""


class ContactLaw(nn.Module):
    """Constants in pixels and shares per substep; `walls` are left, top, right, bottom."""

    walls: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.reach = nn.Parameter(torch.tensor(1.0))
        self.gyration = nn.Parameter(torch.tensor(1.0))
        self.slop = nn.Parameter(torch.tensor(0.0))
        self.yielding = nn.Parameter(torch.tensor(0.1))
        self.register_buffer("walls", torch.tensor((-1e3, -1e3, 1e3, 1e3)))
        self.requires_grad_(False)

    def forward(self, pose: Tensor, outline: Tensor, centre: Tensor, path: Tensor) -> Tensor:
        """Where pushed shapes end up.

        pose [B, 3] of the layers, their physical outline [B, V, 2] and centre of turning [B, 2] in the layer's frame;
        path [B, 1 + substeps + 1, 2] of the disc, the first one substep before the frame begins. Returns poses [B, 3].
        """
        corners = _trimmed(outline) - centre[:, None]
        centre = torch.view_as_complex(centre.contiguous())
        angle = pose[:, 2]
        place = torch.complex(pose[:, 0], pose[:, 1]) + centre * _turned(angle)
        way = torch.view_as_complex(path.contiguous())
        edges, corners = Edges(corners), torch.view_as_complex(corners.contiguous())
        ended = pose
        for rows, near_wall in self._concerned(place, angle, corners, edges, way):
            moved, turn = self._pushed(
                place[rows], angle[rows], corners[rows], edges.select(rows), way[rows], near_wall
            )
            origin = moved - centre[rows] * _turned(turn)
            ended = ended.index_copy(0, rows, torch.stack((origin.real, origin.imag, turn), dim=-1))
        return ended

    def _concerned(
        self, place: Tensor, angle: Tensor, corners: Tensor, edges: Edges, way: Tensor
    ) -> list[tuple[Tensor, bool]]:
        """Rows [n] of shapes that the disc could reach in this frame, apart from walls (False) and near them (True).

        Those that are in a wall already are among the latter.
        """
        turned = _turned(angle)
        farthest = (way - way[:, 1:2]).abs().amax(-1)
        is_reached = edges.distance((way[:, 1] - place) * turned.conj()) < self.reach + farthest
        is_near = self._beyond(place).amax(-1) > -(corners.abs().amax(-1) + _FARTHEST_PX)
        free, near = (is_reached & ~is_near).nonzero()[:, 0], is_near.nonzero()[:, 0]
        if len(near):
            depth = self._beyond(place[near, None] + corners[near] * turned[near, None]).amax((1, 2))
            near = near[is_reached[near] | (depth > self.slop)]
        return [(rows, near_wall) for rows, near_wall in ((free, False), (near, True)) if len(rows)]

    def _beyond(self, points: Tensor) -> Tensor:
        """How far points, complex [...], are beyond each wall, [..., 4]; negative inside."""
        x, y = points.real, points.imag
        left, top, right, bottom = self.walls
        return torch.stack((left - x, top - y, x - right, y - bottom), dim=-1)

    def _pushed(
        self, place: Tensor, angle: Tensor, corners: Tensor, edges: Edges, way: Tensor, near_wall: bool
    ) -> tuple[Tensor, Tensor]:
        """Centres, complex [B], and turns [B] at the end of the way."""
        steps = way[:, 1:] - way[:, :-1]
        for k in range(1, way.shape[1] - 1):
            shift, turn = self._give(place, angle, corners, edges, way[:, k], steps[:, k - 1], near_wall)
            place, angle = place + shift, angle + turn
        return place, angle

    def _give(
        self, place: Tensor, angle: Tensor, corners: Tensor, edges: Edges, disc: Tensor, step: Tensor, near_wall: bool
    ) -> tuple[Tensor, Tensor]:
        """Shift, complex [B], and turn [B] of one substep."""
        offset, turned = disc - place, _turned(angle)
        found = edges.contacts(offset * turned.conj())
        overlaps = self.reach - found.distance
        touching = overlaps > 0
        if not near_wall and not bool(touching.any()):
            return torch.zeros_like(place), torch.zeros_like(angle)
        normals = -found.outward * turned[:, None]
        levers = (offset.conj()[:, None] * normals).imag / self.gyration
        wants = self._wanted(overlaps, (step.conj()[:, None] * normals).real)
        if near_wall:
            walls = self._at_walls(place, corners * turned[:, None])
            normals, levers = torch.cat((normals, walls[0]), dim=1), torch.cat((levers, walls[1]), dim=1)
            wants, touching = torch.cat((wants, walls[2]), dim=1), torch.cat((touching, walls[3]), dim=1)
        return self._settled(normals, levers, wants, touching)

    def _settled(self, normals: Tensor, levers: Tensor, wants: Tensor, touching: Tensor) -> tuple[Tensor, Tensor]:
        """Shift, complex [B], and turn [B] that give every touching contact [B, C] what it wants.

        The disc's two contacts come first.

        Rows of every kind are worked out apart: none depends on what happens in another.
        """
        pushes = wants / (1 + levers * levers) * touching
        shift, turn = (pushes * normals).sum(1), (pushes * levers).sum(1)
        counts = touching.sum(1, dtype=torch.uint8)
        is_several = counts > 1
        if bool(is_several.any()):
            is_wedged = touching[:, 0] & touching[:, 1] & (counts == 2)
            for is_kind, solve in ((is_wedged, _wedged), (is_several & ~is_wedged, _jammed)):
                rows = is_kind.nonzero()[:, 0]
                if len(rows):
                    found = solve(normals[rows], levers[rows], wants[rows], touching[rows])
                    shift, turn = shift.index_copy(0, rows, found[0]), turn.index_copy(0, rows, found[1])
        return shift, turn / self.gyration

    def _wanted(self, overlap: Tensor, approach: Tensor) -> Tensor:
        """How far a touching contact must move along its normal."""
        return approach.clamp_min(0) + self.yielding * (overlap - self.slop).clamp_min(0)

    def _at_walls(self, place: Tensor, corners: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Each wall against the two corners, complex [B, V] from the centre, that are deepest in it.

        Normals, complex [B, 8], levers, wants and whether they touch [B, 8].
        """
        deepest, which = self._beyond(place[:, None] + corners).topk(2, dim=1)
        inward = torch.tensor((1, 1j, -1, -1j) * 2, dtype=corners.dtype, device=corners.device).expand(len(place), 8)
        lever = (corners.gather(1, which.flatten(1)).conj() * inward).imag / self.gyration
        depths = deepest.flatten(1)
        # A corner deeper in a wall than the centre is away from it has gone through it, and is held no longer.
        depths = depths * (depths < -self._beyond(place).repeat(1, 2))
        return inward, lever, self._wanted(depths, torch.zeros_like(lever)), depths > 0


def _wedged(normals: Tensor, levers: Tensor, wants: Tensor, touching: Tensor) -> tuple[Tensor, Tensor]:
    """The first two contacts, of an inner corner, in closed form: one push if it satisfies both, else both."""
    normals, levers, wants = normals[:, :2], levers[:, :2], wants[:, :2]
    own = 1 + levers * levers
    mutual = (normals[:, 0].conj() * normals[:, 1]).real + levers[:, 0] * levers[:, 1]
    alone = wants / own
    is_enough = alone * mutual[:, None] >= wants.flip(1)
    determinant = (own[:, 0] * own[:, 1] - mutual * mutual).clamp_min(1e-6)
    both = ((own.flip(1) * wants - mutual[:, None] * wants.flip(1)) / determinant[:, None]).clamp_min(0)
    one = torch.where(is_enough[:, :1], alone * alone.new_tensor((1.0, 0.0)), alone * alone.new_tensor((0.0, 1.0)))
    pushes = torch.where(is_enough.any(1, keepdim=True), one, both)
    return (pushes * normals).sum(1), (pushes * levers).sum(1)


def _jammed(normals: Tensor, levers: Tensor, wants: Tensor, touching: Tensor) -> tuple[Tensor, Tensor]:
    """Contacts between disc and walls: one after the other, again and again."""
    used = touching.any(0).nonzero()[:, 0]
    normals, levers, wants, touching = normals[:, used], levers[:, used], wants[:, used], touching[:, used]
    mutual = (normals.conj()[:, :, None] * normals[:, None]).real + levers[:, :, None] * levers[:, None]
    mass = touching / mutual.diagonal(dim1=1, dim2=2).clamp_min(1e-6)
    pushes = [torch.zeros_like(wants[:, 0])] * len(used)
    moved = torch.zeros_like(wants)
    for _ in range(_ROUNDS):
        for c in range(len(used)):
            push = torch.addcmul(pushes[c], wants[:, c] - moved[:, c], mass[:, c]).clamp_min(0)
            moved = torch.addcmul(moved, (push - pushes[c])[:, None], mutual[:, c])
            pushes[c] = push
    stacked = torch.stack(pushes, 1)
    return (stacked * normals).sum(1), (stacked * levers).sum(1)


def _turned(angle: Tensor) -> Tensor:
    """The complex number by which a turn multiplies."""
    return torch.polar(torch.ones_like(angle), angle)


def _trimmed(outline: Tensor) -> Tensor:
    """Without the last corners that repeat others in every row."""
    differs = (outline[:, 1:] != outline[:, :-1]).any(-1).any(0).nonzero()[:, 0]
    return outline[:, : 2 + int(differs[-1])]
