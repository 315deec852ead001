"""Strokes and ways round the block, on hand-made positions."""

import numpy as np
import pytest

from lingbot_ros.tasks.pusht.geometry import PUSHER_RADIUS
from lingbot_ros.tasks.pusht.simulator.push_plan import distance_to_tee, random_stroke, walk, way_round

UPRIGHT = np.array([200.0, 100.0, 0.0])


@pytest.mark.parametrize(
    ("point", "distance"),
    [
        ((200.0, 115.0), 0.0),  # in the bar
        ((200.0, 200.0), 0.0),  # in the stem
        ((200.0, 90.0), 10.0),  # above the bar
        ((230.0, 200.0), 15.0),  # right of the stem
        ((263.0, 134.0), 5.0),  # off the bar's lower right corner: 3, 4, 5
        ((200.0, 250.0), 30.0),  # below the stem
    ],
    ids=str,
)
def test_distance_to_an_upright_tee(point: tuple[float, float], distance: float) -> None:
    assert distance_to_tee(np.array([point]), UPRIGHT)[0] == pytest.approx(distance)


def test_distance_turns_with_the_tee() -> None:
    quarter = np.array([200.0, 100.0, np.pi / 2])  # the stem now points to smaller x
    assert distance_to_tee(np.array([[120.0, 100.0]]), quarter)[0] == pytest.approx(0.0)
    assert distance_to_tee(np.array([[210.0, 100.0]]), quarter)[0] == pytest.approx(10.0)


def test_walk_is_evenly_spaced_and_ends_at_the_end() -> None:
    path = np.array([[0.0, 0.0], [30.0, 0.0], [30.0, 25.0]])
    points = np.array(list(walk(path, 10.0)))
    np.testing.assert_allclose(points, [[10, 0], [20, 0], [30, 0], [30, 10], [30, 20], [30, 25]])


def test_free_way_is_straight() -> None:
    path = way_round(np.array([20.0, 400.0]), np.array([400.0, 400.0]), UPRIGHT)
    np.testing.assert_array_equal(path, [[20.0, 400.0], [400.0, 400.0]])


@pytest.mark.parametrize("angle", np.linspace(0, 6, 7), ids=lambda angle: f"{angle:.0f} rad")
def test_blocked_way_goes_round_without_touching(angle: float) -> None:
    block = np.array([256.0, 256.0, angle])
    path = way_round(np.array([80.0, 250.0]), np.array([440.0, 262.0]), block)
    way = np.array(list(walk(path, 2.0)))
    assert distance_to_tee(way, block).min() > PUSHER_RADIUS


def test_stroke_starts_clear_of_the_tee_and_passes_through_it() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        block = np.array([*rng.uniform(150, 350, 2), rng.uniform(-np.pi, np.pi)])
        stroke = random_stroke(block, rng)
        assert distance_to_tee(stroke.start[None], block)[0] > PUSHER_RADIUS
        way = np.linspace(stroke.start, stroke.end, 200)
        assert distance_to_tee(way, block).min() < PUSHER_RADIUS
