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
        from_centre = _trimmed(outline) - centre[:, None]
        place, angle = pose[:, :2] + _turn(centre, pose[:, 2]), pose[:, 2]
        edges = Edges(from_centre)
        ended = pose
        for rows, near_wall in self._concerned(place, angle, from_centre, edges, path):
            moved, turned = self._pushed(
                place[rows], angle[rows], from_centre[rows], edges.select(rows), path[rows], near_wall
            )
            back = torch.cat((moved - _turn(centre[rows], turned), turned[:, None]), dim=-1)
            ended = ended.index_copy(0, rows, back)
        return ended

    def _concerned(
        self, place: Tensor, angle: Tensor, from_centre: Tensor, edges: Edges, path: Tensor
    ) -> list[tuple[Tensor, bool]]:
        """Rows [n] of shapes that the disc could reach in this frame, apart from walls (False) and near them (True).

        Those that are in a wall already are among the latter.
        """
        local = _turn(path[:, 1] - place, -angle)
        farthest = _length(path - path[:, 1:2]).amax(-1)
        is_reached = edges.distance(local[:, 0], local[:, 1]) < self.reach + farthest
        size = _length(from_centre).amax(-1) + _FARTHEST_PX
        from_walls = torch.cat((place - self.walls[:2], self.walls[2:] - place), dim=-1).amin(-1)
        is_near = from_walls < size
        free, near = (is_reached & ~is_near).nonzero()[:, 0], is_near.nonzero()[:, 0]
        if len(near):
            corners = place[near, None] + _turn(from_centre[near], angle[near, None])
            depth = torch.cat((self.walls[:2] - corners, corners - self.walls[2:]), -1).amax((1, 2))
            near = near[is_reached[near] | (depth > self.slop)]
        return [(rows, near_wall) for rows, near_wall in ((free, False), (near, True)) if len(rows)]

    def _pushed(
        self, place: Tensor, angle: Tensor, from_centre: Tensor, edges: Edges, path: Tensor, near_wall: bool
    ) -> tuple[Tensor, Tensor]:
        """Centres [B, 2] and turns [B] at the end of the path."""
        for k in range(1, path.shape[1] - 1):
            step = path[:, k] - path[:, k - 1]
            shift, turn = self._give(place, angle, from_centre, edges, path[:, k], step, near_wall)
            place, angle = place + shift, angle + turn
        return place, angle

    def _give(
        self,
        place: Tensor,
        angle: Tensor,
        from_centre: Tensor,
        edges: Edges,
        disc: Tensor,
        step: Tensor,
        near_wall: bool,
    ) -> tuple[Tensor, Tensor]:
        """Shift [B, 2] and turn [B] of one substep."""
        offset = disc - place
        x, y = offset[:, 0], offset[:, 1]
        cosine, sine = angle.cos(), angle.sin()
        found = edges.contacts(cosine * x + sine * y, cosine * y - sine * x)
        overlaps = self.reach - found.distance
        touching = overlaps > 0
        if not near_wall and not bool(touching.any()):
            return torch.zeros_like(place), torch.zeros_like(angle)
        normal_x = sine[:, None] * found.y - cosine[:, None] * found.x
        normal_y = -sine[:, None] * found.x - cosine[:, None] * found.y
        levers = (x[:, None] * normal_y - y[:, None] * normal_x) / self.gyration
        wants = self._wanted(overlaps, step[:, :1] * normal_x + step[:, 1:] * normal_y)
        normals = torch.stack((normal_x, normal_y), dim=-1)
        if near_wall:
            walls = self._at_walls(place, angle, from_centre)
            normals, levers = torch.cat((normals, walls[0]), dim=1), torch.cat((levers, walls[1]), dim=1)
            wants, touching = torch.cat((wants, walls[2]), dim=1), torch.cat((touching, walls[3]), dim=1)
        return self._settled(normals, levers, wants, touching)

    def _settled(self, normals: Tensor, levers: Tensor, wants: Tensor, touching: Tensor) -> tuple[Tensor, Tensor]:
        """Shift [B, 2] and turn [B] that give every touching contact [B, C], the disc's two first, what it wants.

        Rows of every kind are worked out apart: none depends on what happens in another.
        """
        pushes = wants / (1 + levers * levers) * touching
        shift, turn = (pushes[..., None] * normals).sum(1), (pushes * levers).sum(1)
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
        # A corner deeper in a wall than the centre is away from it has gone through it, and is held no longer.
        depths = depths * (depths < torch.cat((place - self.walls[:2], self.walls[2:] - place), dim=-1).repeat(1, 2))
        return inward.expand(len(place), 8, 2), lever, self._wanted(depths, torch.zeros_like(lever)), depths > 0


def _wedged(normals: Tensor, levers: Tensor, wants: Tensor, touching: Tensor) -> tuple[Tensor, Tensor]:
    """The first two contacts, of an inner corner, in closed form: one push if it satisfies both, else both."""
    normals, levers, wants = normals[:, :2], levers[:, :2], wants[:, :2]
    own = 1 + levers * levers
    mutual = (normals[:, 0] * normals[:, 1]).sum(-1) + levers[:, 0] * levers[:, 1]
    alone = wants / own
    is_enough = alone * mutual[:, None] >= wants.flip(1)
    determinant = (own[:, 0] * own[:, 1] - mutual * mutual).clamp_min(1e-6)
    both = ((own.flip(1) * wants - mutual[:, None] * wants.flip(1)) / determinant[:, None]).clamp_min(0)
    one = torch.where(is_enough[:, :1], alone * alone.new_tensor((1.0, 0.0)), alone * alone.new_tensor((0.0, 1.0)))
    pushes = torch.where(is_enough.any(1, keepdim=True), one, both)
    return (pushes[..., None] * normals).sum(1), (pushes * levers).sum(1)


def _jammed(normals: Tensor, levers: Tensor, wants: Tensor, touching: Tensor) -> tuple[Tensor, Tensor]:
    """Contacts between disc and walls: one after the other, again and again."""
    used = touching.any(0).nonzero()[:, 0]
    normals, levers, wants, touching = normals[:, used], levers[:, used], wants[:, used], touching[:, used]
    directions = torch.cat((normals, levers[..., None]), dim=-1)  # a push moves along these, in x, y and turn
    mutual = directions @ directions.transpose(1, 2)
    mass = touching / mutual.diagonal(dim1=1, dim2=2).clamp_min(1e-6)
    pushes = [torch.zeros_like(wants[:, 0])] * len(used)
    moved = torch.zeros_like(wants)
    for _ in range(_ROUNDS):
        for c in range(len(used)):
            push = torch.addcmul(pushes[c], wants[:, c] - moved[:, c], mass[:, c]).clamp_min(0)
            moved = torch.addcmul(moved, (push - pushes[c])[:, None], mutual[:, c])
            pushes[c] = push
    ended = (torch.stack(pushes, 1)[..., None] * directions).sum(1)
    return ended[:, :2], ended[:, 2]


def _turn(points: Tensor, angle: Tensor) -> Tensor:
    cosine, sine = angle.cos(), angle.sin()
    x = cosine * points[..., 0] - sine * points[..., 1]
    return torch.stack((x, sine * points[..., 0] + cosine * points[..., 1]), dim=-1)


def _length(vectors: Tensor) -> Tensor:
    return (vectors[..., 0] ** 2 + vectors[..., 1] ** 2).sqrt()


def _cross(a: Tensor, b: Tensor) -> Tensor:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]


def _trimmed(outline: Tensor) -> Tensor:
    """Without the last corners that repeat others in every row."""
    differs = (outline[:, 1:] != outline[:, :-1]).any(-1).any(0).nonzero()[:, 0]
    return outline[:, : 2 + int(differs[-1])]
