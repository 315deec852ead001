"""Outlines as closed polygons [..., V, 2], pixels of the frame or of a layer: distances, areas, parallel edges.

Vertices run so that the inside lies to the right on the image (x right, y down): areas are positive. An outline with
fewer corners than its tensor has room for repeats its last one: edges without length change nothing here.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

_TINY = 1e-9

_SAME_SIDE = 0.7
"""Places whose outward directions have a greater cosine than this are one contact."""


@dataclass(frozen=True)
class Contacts:
    """Of points with an outline: the nearest place, and the nearest on a side that faces another way.

    The second is there in an inner corner. distance [2, B]: signed, negative inside, infinite where there is no second
    place on whose outer side the point lies; outward [2, 2, B]: x and y of the directions from the outline.
    """

    distance: Tensor
    outward: Tensor


class Edges:
    """The edges of outlines [2, V, B] (x and y, corners, rows), ready to be asked many times."""

    def __init__(self, outline: Tensor) -> None:
        self._start = outline.contiguous()
        self._edge = self._start.roll(-1, 1) - self._start
        self._across = torch.stack((-self._edge[1], self._edge[0]))
        self._share = self._edge / self._edge.square().sum(0).clamp_min(_TINY)
        self._rise = self._edge[1].contiguous()
        self._goes_down = self._rise > 0

    def select(self, rows: Tensor) -> "Edges":
        """Those of some rows [n] alone."""
        chosen = object.__new__(Edges)
        for name, values in vars(self).items():
            setattr(chosen, name, values[..., rows])
        return chosen

    def distance(self, points: Tensor) -> Tensor:
        """Signed distance [B] of points [2, B]; exact."""
        offset, apart, outside = self._to_edges(points)
        distance = apart.square().sum(0).amin(0).sqrt()
        return torch.where(self._is_inside(offset[1], outside), -distance, distance)

    def contacts(self, points: Tensor) -> Contacts:
        """Where discs at points [2, B] would touch."""
        offset, apart, outside = self._to_edges(points)
        distances = apart.square().sum(0).clamp_min(_TINY).sqrt()
        nearest_distance, nearest = distances.min(0)
        near = apart.gather(1, nearest.expand(2, 1, -1))
        is_same = (apart * near).sum(0) > _SAME_SIDE * nearest_distance * distances
        second, which = distances.masked_fill(is_same | ~outside, torch.inf).min(0)
        signed = torch.where(self._is_inside(offset[1], outside), -nearest_distance, nearest_distance)
        distance = torch.stack((signed, second))
        return Contacts(distance, torch.cat((near, apart.gather(1, which.expand(2, 1, -1))), dim=1) / distance)

    def _to_edges(self, points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """From every edge's start to the points [2, V, B], from the nearest places, and which are outside [V, B]."""
        offset = points[:, None] - self._start
        along = (offset * self._share).sum(0).clamp(0, 1)
        return offset, torch.addcmul(offset, along, self._edge, value=-1), (offset * self._across).sum(0) < 0

    def _is_inside(self, height: Tensor, outside: Tensor) -> Tensor:
        """Whether a ray from a point crosses the outline an odd number of times, [B]."""
        crosses = (height >= 0) != (height >= self._rise)
        return (crosses & (outside != self._goes_down)).sum(0, dtype=torch.uint8).bitwise_and_(1).bool()


def area_and_centroid(outline: Tensor) -> tuple[Tensor, Tensor]:
    """Area [...] and centre of the area [..., 2]."""
    following = outline.roll(-1, -2)
    cross = outline[..., 0] * following[..., 1] - outline[..., 1] * following[..., 0]
    area = cross.sum(-1) / 2
    centroid = ((outline + following) * cross[..., None]).sum(-2) / (6 * area[..., None])
    return area, centroid


def inset(outline: Tensor, margin: Tensor | float) -> Tensor:
    """The outline [V, 2] with every edge moved inwards by `margin`; corners stay corners. Every edge needs a length."""
    edge = outline.roll(-1, 0) - outline
    normal = torch.stack((-edge[:, 1], edge[:, 0]), dim=-1) / edge.norm(dim=-1, keepdim=True)
    before = normal.roll(1, 0)
    # The new corner is `margin` away from both lines that meet in it; where they are nearly one line that is sound too.
    return outline + margin * (before + normal) / (1 + (before * normal).sum(-1, keepdim=True)).clamp_min(0.2)


def skewness(outline: Tensor) -> Tensor:
    """Which end of a shape [V, 2] is the thin one: [2] pixels, the mean of r^2 r about its centroid over that of r^2.

    Zero for whatever looks the same after half a turn.
    """
    _, centroid = area_and_centroid(outline)
    first = outline - centroid
    second = first.roll(-1, 0)
    # Exact, by triangles from the centroid.
    cross = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    one, both, two = (first * first).sum(-1), (first * second).sum(-1), (second * second).sum(-1)
    square = (cross * (one + both + two)).sum() / 12
    by_first, by_second = one / 20 + both / 30 + two / 60, one / 60 + both / 30 + two / 20
    cube = (cross[:, None] * (by_first[:, None] * first + by_second[:, None] * second)).sum(0)
    return cube / square
