"""Outlines as closed polygons [..., V, 2], pixels of the frame or of a layer: distances, areas, parallel edges.

Vertices run so that the inside lies to the right on the picture (x right, y down): areas are positive. An outline with
fewer corners than its tensor has room for repeats its last one: edges without length change nothing here.
"""

import torch
from torch import Tensor

_TINY = 1e-9

_SAME_SIDE = 0.7
"""Places whose outward directions have a greater cosine than this are one contact."""


def signed_distance(points: Tensor, outline: Tensor) -> tuple[Tensor, Tensor]:
    """How far points [..., N, 2] are from outlines [..., V, 2], negative inside [..., N], and its gradient [..., N, 2].

    The distance is exact. The gradient points away from the outline; on the outline itself it is zero.
    """
    offset, edge, apart = _to_edges(points, outline)
    squared, nearest = (apart * apart).sum(-1).min(-1)
    return _signed(squared, _pick(apart, nearest), _is_inside(offset, edge))


def two_contacts(points: Tensor, outline: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The nearest place of an outline, and the nearest on a side that faces another way, as in an inner corner.

    points [..., N, 2]: signed distance and gradient as `signed_distance` tells them, then those of the second place;
    its distance is infinite where there is none on whose outer side the point lies.
    """
    offset, edge, apart = _to_edges(points, outline)
    squares = (apart * apart).sum(-1)
    squared, nearest = squares.min(-1)
    first = _pick(apart, nearest)
    distance, outward = _signed(squared, first, _is_inside(offset, edge))
    outside = offset[..., 0] * edge[..., 1] > offset[..., 1] * edge[..., 0]
    cosine = (apart * outward[..., None, :]).sum(-1) / squares.clamp_min(_TINY).sqrt()
    other, which = squares.masked_fill(~outside | (cosine > _SAME_SIDE), torch.inf).min(-1)
    second = other.sqrt()
    return distance, outward, second, _pick(apart, which) / second.clamp_min(1e-6)[..., None]


def _to_edges(points: Tensor, outline: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """From every edge's start to the points [..., N, V, 2], the edges [..., 1, V, 2], and from their nearest places."""
    start = outline[..., None, :, :]
    edge = outline.roll(-1, -2)[..., None, :, :] - start
    offset = points[..., :, None, :] - start
    along = ((offset * edge).sum(-1) / (edge * edge).sum(-1).clamp_min(_TINY)).clamp(0, 1)
    return offset, edge, offset - along[..., None] * edge


def _pick(apart: Tensor, index: Tensor) -> Tensor:
    return apart.gather(-2, index[..., None, None].expand(*index.shape, 1, 2)).squeeze(-2)


def _is_inside(offset: Tensor, edge: Tensor) -> Tensor:
    crosses = (offset[..., 1] >= 0) != (offset[..., 1] - edge[..., 1] >= 0)
    right_of = offset[..., 0] * edge[..., 1] < offset[..., 1] * edge[..., 0]
    return (crosses & (right_of == (edge[..., 1] > 0))).sum(-1) % 2 == 1


def _signed(squared: Tensor, apart: Tensor, inside: Tensor) -> tuple[Tensor, Tensor]:
    distance = squared.clamp_min(1e-12).sqrt()
    distance = torch.where(inside, -distance, distance)
    return distance, apart / distance[..., None]


def area_and_centroid(outline: Tensor) -> tuple[Tensor, Tensor]:
    """Area [...] and centre of the area [..., 2]."""
    following = outline.roll(-1, -2)
    cross = outline[..., 0] * following[..., 1] - outline[..., 1] * following[..., 0]
    area = cross.sum(-1) / 2
    centroid = ((outline + following) * cross[..., None]).sum(-2) / (6 * area[..., None])
    return area, centroid


def inset(outline: Tensor, margin: Tensor | float) -> Tensor:
    """The outline [V, 2] with every edge moved inwards by `margin`; corners stay corners. No edge may be without length."""
    edge = outline.roll(-1, 0) - outline
    normal = torch.stack((-edge[:, 1], edge[:, 0]), dim=-1) / edge.norm(dim=-1, keepdim=True)
    before = normal.roll(1, 0)
    # The new corner is `margin` away from both lines that meet in it; where they are nearly one line that is sound too.
    return outline + margin * (before + normal) / (1 + (before * normal).sum(-1, keepdim=True)).clamp_min(0.2)


def skewness(outline: Tensor) -> Tensor:
    """Which end of a shape [V, 2] is the thin one: the mean of r^2 r about its centroid, over the mean of r^2; [2], pixels.

    Zero for whatever looks the same after half a turn.
    """
    area, centroid = area_and_centroid(outline)
    inner = outline - centroid
    # Triangles from the centroid; a rule with three inner points each is exact to the third order after one halving.
    corners = torch.stack((torch.zeros_like(inner), inner, inner.roll(-1, 0)), dim=1)
    second, third = inner.new_zeros(()), inner.new_zeros(2)
    steps = 12
    for i in range(steps):
        for j in range(steps - i):
            first = torch.tensor((i + 1 / 3, j + 1 / 3), dtype=inner.dtype) / steps
            cells = [first] if i + j == steps - 1 else [first, first + 1 / (3 * steps)]
            for u, v in cells:
                point = (1 - u - v) * corners[:, 0] + u * corners[:, 1] + v * corners[:, 2]
                cross = corners[:, 1, 0] * corners[:, 2, 1] - corners[:, 1, 1] * corners[:, 2, 0]
                weight = cross / 2 / steps**2
                squared = (point * point).sum(-1)
                second = second + (weight * squared).sum()
                third = third + (weight[:, None] * squared[:, None] * point).sum(0)
    return third / second
