"""Outlines as closed polygons [..., V, 2], pixels of the frame or of a layer: distances, areas, parallel edges.

Vertices run so that the inside lies to the right on the picture (x right, y down): areas are positive. An outline with
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
    """Of points with an outline, all [B, 2]: the nearest place, and the nearest on a side that faces another way, as in
    an inner corner. Signed distance, negative inside, infinite where there is no second place on whose outer side the
    point lies; the outward direction is (x, y)."""

    distance: Tensor
    x: Tensor
    y: Tensor


class Edges:
    """The edges of outlines [B, V, 2], ready to be asked many times. x and y are kept apart: that is twice as fast."""

    def __init__(self, outline: Tensor) -> None:
        self._x, self._y = outline[..., 0].contiguous(), outline[..., 1].contiguous()
        self._along_x, self._along_y = self._x.roll(-1, -1) - self._x, self._y.roll(-1, -1) - self._y
        self._shrink = 1 / (self._along_x**2 + self._along_y**2).clamp_min(_TINY)
        self._goes_down = self._along_y > 0

    def select(self, rows: Tensor) -> "Edges":
        """Those of some rows [n] alone."""
        chosen = object.__new__(Edges)
        for name, values in vars(self).items():
            setattr(chosen, name, values[rows])
        return chosen

    def distance(self, x: Tensor, y: Tensor) -> Tensor:
        """Signed distance [B] of points x, y [B]; exact."""
        from_x, from_y, apart_x, apart_y = self._offsets(x, y)
        distance = (apart_x * apart_x + apart_y * apart_y).amin(-1).clamp_min(1e-12).sqrt()
        outside = from_x * self._along_y > from_y * self._along_x
        return torch.where(self._is_inside(from_y, outside), -distance, distance)

    def contacts(self, x: Tensor, y: Tensor) -> Contacts:
        """Where a disc at x, y [B] would touch."""
        from_x, from_y, apart_x, apart_y = self._offsets(x, y)
        squares = apart_x * apart_x + apart_y * apart_y
        squared, nearest = squares.min(-1, keepdim=True)
        near_x, near_y = apart_x.gather(1, nearest), apart_y.gather(1, nearest)
        distance = squared.clamp_min(1e-12).sqrt()
        outside = from_x * self._along_y > from_y * self._along_x
        cosine = (apart_x * near_x + apart_y * near_y) / (squares * squared).clamp_min(1e-12).sqrt()
        other, which = squares.masked_fill(~outside | (cosine > _SAME_SIDE), torch.inf).min(-1, keepdim=True)
        second = other.clamp_min(1e-12).sqrt()
        signed = torch.where(self._is_inside(from_y, outside)[:, None], -distance, distance)
        return Contacts(
            torch.cat((signed, second), 1),
            torch.cat((near_x / signed, apart_x.gather(1, which) / second), 1),
            torch.cat((near_y / signed, apart_y.gather(1, which) / second), 1),
        )

    def _offsets(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """From every edge's start [B, V], and from its nearest place, to the points."""
        from_x, from_y = x[:, None] - self._x, y[:, None] - self._y
        part = (torch.addcmul(from_x * self._along_x, from_y, self._along_y) * self._shrink).clamp(0, 1)
        return from_x, from_y, from_x - part * self._along_x, from_y - part * self._along_y

    def _is_inside(self, from_y: Tensor, outside: Tensor) -> Tensor:
        """Whether a ray from a point crosses the outline an odd number of times, [B]."""
        crosses = (from_y >= 0) != (from_y >= self._along_y)
        return (crosses & (outside != self._goes_down)).sum(-1, dtype=torch.uint8).bitwise_and_(1).bool()


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
