"""What a driven disc does to a shape that it meets: a law with a handful of learned constants.

The shape is pushed along the normal as far as the disc advances, and turns about its centre as its inertia lets it;
where it overlaps the disc or a wall, it gives way a little in every substep. Nothing keeps moving by itself, nothing
rubs. The distances are those to the shape's own outline, so that the law holds for any shape.

Rows are the last axis of every tensor here, x and y the first: a sum or a minimum over the few corners or contacts of
a row is then one fast pass over all rows.
"""

import torch
from torch import Tensor, nn

from lingbot_ros.model.rigid_layers.outline import Edges
from lingbot_ros.model.rigid_layers.settling import jammed, pushed, wedged

_FARTHEST_PX = 6.0
"""A frame moves a shape no farther than this towards a wall that it was not near before."""

_SETTLED_PX = 1e-3
"""What is no deeper in a wall than the slop and this, and is not pushed, stays there."""

_INWARD = ((1, 1, 0, 0, -1, -1, 0, 0), (0, 0, 1, 1, 0, 0, -1, -1))
"""Directions into the box from left, top, right and bottom, two each: x and y."""


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
        way, middle = path.permute(1, 2, 0), centre.T
        corners = _trimmed(outline).permute(2, 1, 0) - middle[:, None]
        angle = pose[:, 2]
        place = pose[:, :2].T + _turned(middle, _direction(angle))
        radius, farthest = corners.norm(dim=0).amax(0), (way - way[1]).norm(dim=1).amax(0)
        is_near = self._beyond(place, place).amax(0) > -(radius + _FARTHEST_PX)
        # What lies inside the circle about a shape is farther from the disc than the circle is.
        rows = (((way[1] - place).norm(dim=0) < radius + self.reach + farthest) | is_near).nonzero()[:, 0]
        if not len(rows):
            return pose
        edges, back = Edges(corners[..., rows]), _direction(-angle[rows])
        is_reached = edges.distance(_turned((way[1] - place)[:, rows], back)) < self.reach + farthest[rows]
        is_held = is_near[rows]
        if bool(is_held.any()):
            spun = place[:, None, rows] + _turned(corners[..., rows], _direction(angle[rows]))
            is_held = is_held & (self._depths(spun).amax(0) > self.slop)
        moving = (is_reached | is_held).nonzero()[:, 0]
        if not len(moving):
            return pose
        edges, rows = edges.select(moving), rows[moving]
        near_wall = bool(is_near[rows].any())
        moved, turn = self._moved(place[:, rows], angle[rows], corners[..., rows], edges, way[..., rows], near_wall)
        origin = moved - _turned(middle[:, rows], _direction(turn))
        return pose.index_copy(0, rows, torch.cat((origin, turn[None])).T)

    def _depths(self, corners: Tensor) -> Tensor:
        """How deep the deepest of the corners [2, V, B] is in each wall, [4, B]; negative inside of the box."""
        return self._beyond(corners.amin(1), corners.amax(1))

    def _beyond(self, low: Tensor, high: Tensor) -> Tensor:
        """How far [2, ...] is beyond each wall, [4, ...]: `low` beyond left and top, `high` beyond right and bottom."""
        walls = self.walls.reshape(4, *[1] * (low.ndim - 1))
        return torch.cat((walls[:2] - low, high - walls[2:]))

    def _moved(
        self, place: Tensor, angle: Tensor, corners: Tensor, edges: Edges, way: Tensor, near_wall: bool
    ) -> tuple[Tensor, Tensor]:
        """Centres [2, B] and turns [B] at the end of the way [T, 2, B]."""
        steps = way[1:] - way[:-1]
        for k in range(1, len(way) - 1):
            direction = _direction(angle)
            offset = way[k] - place
            found = edges.contacts(_turned(offset, direction * direction.new_tensor((1.0, -1.0))[:, None]))
            overlaps = self.reach - found.distance
            touching = overlaps > 0
            touched = touching[0]
            walled: Tensor | None = None
            if near_wall:
                spun = _turned(corners, direction)
                deepest = self._depths(place[:, None] + spun).amax(0)
                walled = ((deepest > self.slop + _SETTLED_PX) | (touched & (deepest > 0))).nonzero()[:, 0]
                walled = walled if len(walled) else None
            if walled is None and not bool(touched.any()):
                continue
            normals = -_turned(found.outward, direction)
            levers = (offset[0] * normals[1] - offset[1] * normals[0]) / self.gyration
            wants = self._wanted(overlaps, (steps[k - 1][:, None] * normals).sum(0)) * touching
            shift, turn = pushed(normals[:, 0], levers[0], wants[0])
            both = (overlaps[1] > 0).nonzero()[:, 0]
            if len(both):
                twice = wedged(normals[..., both], levers[:, both], wants[:, both])
                shift, turn = shift.index_copy(1, both, twice[0]), turn.index_copy(0, both, twice[1])
            if walled is not None:
                walls = self._at_walls(place[:, walled], spun[..., walled])
                disc = (normals[..., walled], levers[:, walled], wants[:, walled], touching[:, walled])
                held = jammed(2, *(torch.cat(pair, dim=-2) for pair in zip(disc, walls, strict=True)))
                shift, turn = shift.index_copy(1, walled, held[0]), turn.index_copy(0, walled, held[1])
            place, angle = place + shift, angle + turn / self.gyration
        return place, angle

    def _wanted(self, overlap: Tensor, approach: Tensor) -> Tensor:
        """How far a touching contact must move along its normal."""
        return approach.clamp_min(0) + self.yielding * (overlap - self.slop).clamp_min(0)

    def _at_walls(self, place: Tensor, corners: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Each wall against the two corners, [2, V, B] from the centre, that are deepest in it.

        Normals [2, 8, B], levers, wants and whether they touch.
        """
        points = place[:, None] + corners
        deepest, which = self._beyond(points, points).topk(2, dim=1)
        inward = corners.new_tensor(_INWARD)[..., None].expand(2, 8, len(place[0]))
        x, y = corners.gather(1, which.flatten(0, 1).expand(2, 8, -1)).unbind()
        lever = (x * inward[1] - y * inward[0]) / self.gyration
        # A corner deeper in a wall than the centre is away from it has gone through it, and is held no longer.
        depth = (deepest * (deepest < -self._beyond(place, place)[:, None])).flatten(0, 1)
        return inward, lever, self._wanted(depth, torch.zeros_like(lever)), depth > 0


def _direction(angle: Tensor) -> Tensor:
    """Cosine and sine [2, B] of turns [B]."""
    return torch.stack((angle.cos(), angle.sin()))


def _turned(points: Tensor, direction: Tensor) -> Tensor:
    """Points [2, ..., B] turned by what `_direction` gave."""
    x, y = points.unbind()
    cosine, sine = direction.unbind()
    return torch.stack((cosine * x - sine * y, sine * x + cosine * y))


def _trimmed(outline: Tensor) -> Tensor:
    """Without the last corners that repeat others in every row."""
    differs = (outline[:, 1:] != outline[:, :-1]).any(-1).any(0).nonzero()[:, 0]
    return outline[:, : 2 + int(differs[-1])]
