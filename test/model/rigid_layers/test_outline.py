"""Distances, contacts and parallel outlines against what geometry says."""

import math
from typing import NamedTuple

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from shapely.geometry import Point, Polygon

from lingbot_ros.model.rigid_layers.outline import area_and_centroid, inset, skewness
from lingbot_ros.model.rigid_layers.polygon import nearest
from lingbot_ros.model.rigid_layers.pushing import distance_to, measure, new_edges, outward, second_contact
from test.support.flat_scene import L_SHAPE

SHAPE = torch.tensor(L_SHAPE)


class Asked(NamedTuple):
    distance: float
    second: float
    outward: tuple[int, int]
    outward_of_second: tuple[int, int]


def ask(outline: torch.Tensor, point: NDArray[np.float64]) -> Asked:
    """What the compiled law finds at a point: distances and rounded directions of both contacts."""
    edges = new_edges(len(outline))
    count, _ = measure(outline.double().numpy(), 0.0, 0.0, edges)
    distance, edge = distance_to(edges, count, *point)
    second, other = second_contact(edges, count, distance, edge)
    (x, y), (other_x, other_y) = outward(edges, edge, distance), outward(edges, other, second)
    return Asked(distance, second, (round(x), round(y)), (round(other_x), round(other_y)))


def distances(outline: torch.Tensor, points: NDArray[np.float64]) -> NDArray[np.float64]:
    edges = new_edges(len(outline))
    count, _ = measure(outline.double().numpy(), 0.0, 0.0, edges)
    return np.array([distance_to(edges, count, x, y)[0] for x, y in points])


def test_distances_are_those_of_the_polygon_and_repeated_corners_change_nothing() -> None:
    points = np.random.default_rng(0).uniform(-20, 20, (400, 2))
    polygon = Polygon(L_SHAPE)
    true = [polygon.exterior.distance(Point(*p)) * (-1 if polygon.contains(Point(*p)) else 1) for p in points.tolist()]
    padded = torch.cat((SHAPE, SHAPE[-1:].expand(5, 2)))
    for outline in (SHAPE, padded):
        assert np.allclose(distances(outline, points), true, atol=1e-9)


def test_an_inner_corner_is_touched_twice_and_an_outer_one_once() -> None:
    corner = L_SHAPE[2]  # where the two arms meet
    wedged = ask(SHAPE, corner + np.array((1.0, -1.0)))
    assert (wedged.distance, wedged.second) == pytest.approx((1, 1))
    assert {wedged.outward, wedged.outward_of_second} == {(1, 0), (0, -1)}
    beside = ask(SHAPE, L_SHAPE[0] - 1.0)
    assert beside.distance == pytest.approx(math.sqrt(2)) and beside.second > 5


def test_an_inset_outline_is_as_far_inside_everywhere() -> None:
    smaller = inset(SHAPE, 0.5)
    polygon = Polygon(L_SHAPE)
    assert [polygon.exterior.distance(Point(*p)) for p in smaller[:2].tolist()] == pytest.approx([0.5, 0.5])
    assert float(area_and_centroid(smaller)[0]) == pytest.approx(Polygon(L_SHAPE).buffer(-0.5, join_style="mitre").area)


def test_skewness_is_the_integral_and_turns_with_the_shape() -> None:
    grid = np.stack(np.meshgrid(np.arange(-20.025, 20, 0.05), np.arange(-20.025, 20, 0.05)), -1).reshape(-1, 2)
    inside = grid[nearest(grid, L_SHAPE).distance < 0]
    squared = (inside**2).sum(-1)
    true = (squared[:, None] * inside).mean(0) / squared.mean()
    assert skewness(SHAPE).numpy() == pytest.approx(true, abs=0.01)
    square = torch.tensor(((-2.0, -2.0), (2.0, -2.0), (2.0, 2.0), (-2.0, 2.0)))
    assert skewness(square).abs().max() < 1e-5
