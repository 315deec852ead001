"""Outlines as closed polygons [..., V, 2], pixels of the frame or of a layer: areas, parallel edges.

Vertices run so that the inside lies to the right on the image (x right, y down): areas are positive. An outline with
fewer corners than its tensor has room for repeats its last one: edges without length change nothing here.
"""

import torch
from torch import Tensor


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


def radius_of_gyration(outline: Tensor) -> Tensor:
    """Of a shape [V, 2] of even weight about its centroid: the root of the mean of r^2, pixels."""
    area, centroid = area_and_centroid(outline)
    first = outline - centroid
    second = first.roll(-1, 0)
    cross = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    square = (cross * ((first * first) + (first * second) + (second * second)).sum(-1)).sum() / 12
    return (square / area).sqrt()
