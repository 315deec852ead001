"""What a driven disc does to a shape that it meets: a law with a handful of learned constants.

The shape is pushed along the normal as far as the disc advances, and turns about its centre as its inertia lets it;
where it overlaps the disc or a wall, it gives way a little in every substep. Nothing keeps moving by itself, nothing
rubs. The distances are those to the shape's own outline, so that the law holds for any shape.

Inside, x and y are the first axis of every array and rows the last, see `edges`.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lingbot_ros.model.rigid_layers.edges import Contacts, Edges, Floats, Rows
from lingbot_ros.model.rigid_layers.settling import jammed, pushed, wedged

_FARTHEST_PX = 6.0
"""A frame moves a shape no farther than this towards a wall that it was not near before."""

_SETTLED_PX = 1e-3
"""What is no deeper in a wall than the slop and this, and is not pushed, stays there."""

_INWARD = np.array(((1, 1, 0, 0, -1, -1, 0, 0), (0, 0, 1, 1, 0, 0, -1, -1)), np.float32)[..., None]
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
        constants = float(self.reach), float(self.gyration), float(self.slop), float(self.yielding)
        law = _Law(*constants, self.walls.numpy())
        way = np.ascontiguousarray(path.numpy().transpose(1, 2, 0))
        ended = law.moved(pose.numpy(), _trimmed(outline.numpy()), centre.numpy().T, way)
        return torch.from_numpy(ended)


@dataclass(frozen=True)
class _Law:
    """See `ContactLaw`; walls [4]."""

    reach: float
    gyration: float
    slop: float
    yielding: float
    walls: Floats

    def moved(self, pose: Floats, outline: Floats, middle: Floats, way: Floats) -> Floats:
        """Poses [B, 3] of shapes with outlines [2, V, B] and centres [2, B] at the end of the way [T, 2, B]."""
        corners, angle = outline - middle[:, None], pose[:, 2]
        place = pose[:, :2].T + _turned(middle, _direction(angle))
        radius = np.sqrt((corners * corners).sum(0).max(0))
        farthest = np.sqrt(((way - way[1]) ** 2).sum(1).max(0))
        is_near = self._beyond(place, place).max(0) > -(radius + _FARTHEST_PX)
        # What lies inside the circle about a shape is farther from the disc than the circle is.
        gap = np.hypot(*(way[1] - place)) - radius
        rows = np.flatnonzero((gap < self.reach + farthest) | is_near)
        if not len(rows):
            return pose
        edges, back = Edges(corners[..., rows]), _direction(-angle[rows])
        is_reached = edges.distance(_turned((way[1] - place)[:, rows], back)) < self.reach + farthest[rows]
        is_held = is_near[rows]
        if is_held.any():
            spun = place[:, None, rows] + _turned(corners[..., rows], _direction(angle[rows]))
            is_held = is_held & (self._depths(spun) > self.slop)
        moving = np.flatnonzero(is_reached | is_held)
        if not len(moving):
            return pose
        edges, rows = edges.select(moving), rows[moving]
        near_wall = bool(is_near[rows].any())
        moved, turn = self._pushed_along(
            place[:, rows], angle[rows], corners[..., rows], edges, way[..., rows], near_wall
        )
        ended = pose.copy()
        ended[rows, :2] = (moved - _turned(middle[:, rows], _direction(turn))).T
        ended[rows, 2] = turn
        return ended

    def _depths(self, corners: Floats) -> Floats:
        """How deep the deepest of the corners [2, V, B] is in any wall, [B]; negative inside of the box."""
        return np.asarray(self._beyond(corners.min(1), corners.max(1)).max(0))

    def _beyond(self, low: Floats, high: Floats) -> Floats:
        """How far [2, ...] is beyond each wall, [4, ...]: `low` beyond left and top, `high` beyond right and bottom."""
        walls = self.walls.reshape(4, *[1] * (low.ndim - 1))
        return np.concatenate((walls[:2] - low, high - walls[2:]))

    def _pushed_along(
        self, place: Floats, angle: Floats, corners: Floats, edges: Edges, way: Floats, near_wall: bool
    ) -> tuple[Floats, Floats]:
        """Centres [2, B] and turns [B] at the end of the way [T, 2, B]."""
        steps = way[1:] - way[:-1]
        for k in range(1, len(way) - 1):
            direction = _direction(angle)
            offset = way[k] - place
            found = edges.contacts(_turned_back(offset, direction))
            touched = found.distance < self.reach
            walled: Rows = np.empty(0, np.intp)
            if near_wall:
                spun = _turned(corners, direction)
                deepest = self._beyond(place + spun.min(1), place + spun.max(1)).max(0)
                walled = np.flatnonzero((deepest > self.slop + _SETTLED_PX) | (touched & (deepest > 0)))
            if not len(walled) and not touched.any():
                continue
            way_in = self._way(offset, _turned(found.outward, direction))
            motion = pushed(way_in, self._wanted(self.reach - found.distance, way_in, steps[k - 1]) * touched)
            both = np.flatnonzero(found.second < self.reach)
            if len(both):
                two = self._of_disc(found, offset, direction, steps[k - 1], both)
                motion[:, both] = wedged(two[0], two[1])
            if len(walled):
                disc = self._of_disc(found, offset, direction, steps[k - 1], walled)
                walls = self._of_walls(place[:, walled], spun[..., walled])
                together = (np.concatenate(pair, axis=-2) for pair in zip(disc, walls, strict=True))
                motion[:, walled] = jammed(2, *together)
            place, angle = place + motion[:2], angle + motion[2] / self.gyration
        return place, angle

    def _way(self, offset: Floats, outward: Floats) -> Floats:
        """The ways [3, ...] on which contacts push that lie on the sides `outward` [2, ...] of the shapes."""
        way = np.empty((3, *outward.shape[1:]), np.float32)
        np.negative(outward, out=way[:2])
        across = (offset[::-1] if outward.ndim == 2 else offset[::-1, None]) * outward
        np.divide(across[0] - across[1], self.gyration, out=way[2])
        return way

    def _wanted(self, overlap: Floats, way: Floats, step: Floats | None) -> Floats:
        """How far a touching contact must move along its normal: as the disc steps, and out of what it overlaps."""
        want = self.yielding * np.maximum(overlap - self.slop, 0)
        if step is None:
            return want
        along = step * way[:2] if way.ndim == 2 else step[:, None] * way[:2]
        return want + np.maximum(along[0] + along[1], 0)

    def _of_disc(
        self, found: Contacts, offset: Floats, direction: Floats, step: Floats, rows: Rows
    ) -> tuple[Floats, Floats, NDArray[np.bool_]]:
        """Both contacts of some rows: ways [3, 2, n], wants and whether they touch [2, n]."""
        offset, direction, step = offset[:, rows], direction[:, rows], step[:, rows]
        outward = np.empty((2, 2, len(rows)), np.float32)
        outward[:, 0], outward[:, 1] = found.outward[:, rows], found.outward_of_second(rows)
        ways = self._way(offset, _turned(outward, direction))
        overlaps = self.reach - _pair(found.distance[rows], found.second[rows])
        touching = overlaps > 0
        return ways, np.where(touching, self._wanted(overlaps, ways, step), np.float32(0)), touching

    def _of_walls(self, place: Floats, corners: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
        """Each wall against the two corners, [2, V, B] from the centre, that are deepest in it: 8 contacts."""
        places = place[:, None] + corners
        depths = self._beyond(places, places)
        columns = np.arange(place.shape[1])
        which = np.argpartition(-depths, 1, axis=1)[:, :2]  # [4, 2, B]
        deepest = np.take_along_axis(depths, which, 1)
        at = which.reshape(8, -1)
        x, y = corners[0][at, columns], corners[1][at, columns]
        lever = (x * _INWARD[1] - y * _INWARD[0]) / self.gyration
        # A corner deeper in a wall than the centre is away from it has gone through it, and is held no longer.
        depth = np.where(deepest < -self._beyond(place, place)[:, None], deepest, 0).reshape(8, -1)
        ways = np.concatenate((np.broadcast_to(_INWARD, (2, 8, len(columns))), lever[None]))
        return ways, self._wanted(depth, ways, None), depth > 0


def _direction(angle: Floats) -> Floats:
    """Cosine, negative sine and sine [3, B] of turns [B]."""
    direction = np.empty((3, *angle.shape), np.float32)
    np.cos(angle, out=direction[0])
    np.sin(angle, out=direction[2])
    np.negative(direction[2], out=direction[1])
    return direction


def _turned(points: Floats, direction: Floats) -> Floats:
    """Points [2, ..., B] turned by what `_direction` gave."""
    return points * direction[0] + points[::-1] * _sines(points, direction)


def _turned_back(points: Floats, direction: Floats) -> Floats:
    return points * direction[0] - points[::-1] * _sines(points, direction)


def _sines(points: Floats, direction: Floats) -> Floats:
    return direction[1:] if points.ndim == 2 else direction[1:, None]


def _pair(x: Floats, y: Floats) -> Floats:
    """What `numpy.stack` does, in a third of its time."""
    pair = np.empty((2, *x.shape), np.float32)
    pair[0], pair[1] = x, y
    return pair


def _trimmed(outline: Floats) -> Floats:
    """Outlines [B, V, 2] as [2, V, B], without the last corners that repeat others in every row."""
    differs = (outline[:, 1:] != outline[:, :-1]).any(-1).any(0).nonzero()[0]
    return outline[:, : 2 + int(differs[-1])].transpose(2, 1, 0)
