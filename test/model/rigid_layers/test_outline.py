"""Distances, contacts and parallel outlines against what geometry says."""

import math

import numpy as np
import pytest
import torch
from shapely.geometry import Point, Polygon

from lingbot_ros.model.rigid_layers.edges import Edges
from lingbot_ros.model.rigid_layers.outline import area_and_centroid, inset, skewness
from test.support.flat_scene import L_SHAPE

SHAPE = torch.tensor(L_SHAPE)


def edges_of(outline: torch.Tensor, rows: int) -> Edges:
    return Edges(np.repeat(outline.numpy().T[..., None], rows, axis=-1))


def test_distances_are_those_of_the_polygon_and_repeated_corners_change_nothing() -> None:
    points = torch.tensor(np.random.default_rng(0).uniform(-20, 20, (400, 2)))
    polygon = Polygon(L_SHAPE)
    true = [polygon.exterior.distance(Point(*p)) * (-1 if polygon.contains(Point(*p)) else 1) for p in points.tolist()]
    padded = torch.cat((SHAPE, SHAPE[-1:].expand(5, 2)))
    for outline in (SHAPE, padded):
        found = edges_of(outline, 400).distance(points.numpy().T)
        assert np.allclose(found, true, atol=1e-9)


def test_an_inner_corner_is_touched_twice_and_an_outer_one_once() -> None:
    corner = SHAPE[2]  # where the two arms meet
    wedged, beside = corner + torch.tensor((1.0, -1.0)), SHAPE[0] - torch.tensor((1.0, 1.0))
    found = edges_of(SHAPE, 2).contacts(torch.stack((wedged, beside)).numpy().T)
    assert (found.distance[0], found.second[0]) == pytest.approx((1, 1))
    directions = (found.outward[:, 0], found.outward_of_second(np.array([0]))[:, 0])
    assert {(round(x), round(y)) for x, y in directions} == {(1, 0), (0, -1)}
    assert found.distance[1] == pytest.approx(math.sqrt(2)) and found.second[1] > 5


def test_an_inset_outline_is_as_far_inside_everywhere() -> None:
    smaller = inset(SHAPE, 0.5)
    polygon = Polygon(L_SHAPE)
    assert [polygon.exterior.distance(Point(*p)) for p in smaller[:2].tolist()] == pytest.approx([0.5, 0.5])
    assert float(area_and_centroid(smaller)[0]) == pytest.approx(Polygon(L_SHAPE).buffer(-0.5, join_style="mitre").area)


def test_skewness_is_the_integral_and_turns_with_the_shape() -> None:
    grid = np.stack(np.meshgrid(np.arange(-20.025, 20, 0.05), np.arange(-20.025, 20, 0.05)), -1).reshape(-1, 2)
    distance = edges_of(SHAPE, len(grid)).distance(grid.T)
    inside = grid[distance < 0]
    squared = (inside**2).sum(-1)
    true = (squared[:, None] * inside).mean(0) / squared.mean()
    assert skewness(SHAPE).numpy() == pytest.approx(true, abs=0.01)
    square = torch.tensor(((-2.0, -2.0), (2.0, -2.0), (2.0, 2.0), (-2.0, 2.0)))
    assert skewness(square).abs().max() < 1e-5
