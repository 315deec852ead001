"""Outlines with square corners: found where they nearly are, left alone where they are not."""

import numpy as np
import pytest

from lingbot_ros.model.rigid_layers.outline_fit import refit
from lingbot_ros.model.rigid_layers.polygon import bends, nearest, place
from lingbot_ros.model.rigid_layers.sight import Sight
from lingbot_ros.model.rigid_layers.square import square_outline

RAMP_PX = 0.375
L_SHAPE = np.array([(-10, -8), (10, -8), (10, -1), (-3, -1), (-3, 9), (-10, 9)], np.float64)


def turned(outline: np.ndarray, angle: float) -> np.ndarray:
    return place(outline, np.array([2.0, -1.0, angle]))


def ring(count: int, *radii: float) -> np.ndarray:
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.resize(radii, count)[:, None] * np.stack([np.cos(angles), np.sin(angles)], -1)


def seen(outline: np.ndarray, pose: np.ndarray) -> Sight:
    """What an image would show of the outline's edge."""
    rows, columns = np.mgrid[-20:60, -20:60]
    points = np.stack([columns.ravel(), rows.ravel()], -1).astype(np.float64)
    distance = nearest(points, place(outline, pose)).distance
    near = np.abs(distance) < 4
    return Sight(points[near], np.clip(0.5 - distance[near] / RAMP_PX, 0, 1), pose)


@pytest.mark.parametrize("angle", [-2.0, 0.0, 0.3, 1.5])
def test_a_square_outline_is_found_as_it_is(angle: float) -> None:
    found = square_outline(turned(L_SHAPE, angle))
    assert found is not None and found.unknowns == 7
    assert min(np.abs(np.roll(found.outline, k, 0) - turned(L_SHAPE, angle)).max() for k in range(6)) < 1e-9


def test_corners_that_were_cut_and_edges_in_two_pieces_are_made_whole() -> None:
    cut = np.insert(L_SHAPE, 1, (9.4, -8.0), axis=0)
    cut[2] = (10.0, -7.4)
    cut = np.insert(cut, 1, (0.0, -8.1), axis=0)
    found = square_outline(cut)
    assert found is not None and len(found.offsets) == 6
    assert np.abs(bends(found.outline) - np.pi / 2).max() < 1e-9


@pytest.mark.parametrize("other", [ring(24, 10.0), ring(10, 10.0, 5.0), ring(3, 9.0), ring(6, 9.0)])
def test_other_shapes_have_no_square_outline(other: np.ndarray) -> None:
    assert square_outline(other) is None


def test_its_freedom_is_the_derivative_of_its_corners() -> None:
    found = square_outline(turned(L_SHAPE, 0.4))
    assert found is not None
    for index, step in enumerate(np.eye(found.unknowns) * 1e-6):
        change = (found.moved(step).outline - found.outline).ravel() / 1e-6
        assert np.abs(change - found.freedom()[:, index]).max() < 1e-4


def test_what_is_nearly_square_is_fitted_square() -> None:
    pose = np.array([20.3, 19.6, 0.35])
    rough = L_SHAPE + np.random.default_rng(0).normal(0, 0.3, L_SHAPE.shape)
    fit = refit(rough, [seen(L_SHAPE, pose)], RAMP_PX)
    assert np.abs(bends(fit.outline) - np.pi / 2).max() < 1e-9
    assert np.abs(nearest(fit.outline, L_SHAPE).distance).max() < 0.1


def test_what_the_images_show_to_be_askew_stays_askew() -> None:
    askew = L_SHAPE @ np.array([[1.0, 0.0], [0.14, 1.0]])  # corners of 82 degrees
    assert square_outline(askew) is not None
    fit = refit(askew, [seen(askew, np.array([20.3, 19.6, 0.35]))], RAMP_PX)
    assert np.abs(nearest(fit.outline, askew).distance).max() < 0.1
    assert np.abs(bends(fit.outline) - np.pi / 2).max() > 0.1
