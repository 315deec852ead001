"""The T's geometry against the simulator's own shapes."""

import numpy as np
import pytest

from lingbot_ros.tasks.pusht.geometry import (
    CENTRE_OF_GRAVITY,
    GOAL_POSE,
    OUTLINE,
    centroid_at,
    outline_at,
    place,
    to_pixels,
    to_units,
)
from lingbot_ros.tasks.pusht.simulator.simulator import PushTSimulator, PushTState


@pytest.mark.parametrize("angle", [0.0, 1.0, -2.5])
def test_outline_is_the_simulators(angle: float) -> None:
    simulator, pose = PushTSimulator(), np.array([240.0, 200.0, angle])
    simulator.set_state(PushTState(np.array([20.0, 20.0]), np.zeros(2), pose))
    theirs = simulator._env.get_keypoints(simulator._env._block_shapes)
    for corner in outline_at(pose):
        assert np.linalg.norm(theirs - corner, axis=1).min() < 1e-6
    assert tuple(simulator._env.block.center_of_gravity) == tuple(CENTRE_OF_GRAVITY)
    np.testing.assert_allclose(simulator._env.goal_pose, GOAL_POSE)


def test_quarter_turn_takes_x_to_y() -> None:
    np.testing.assert_allclose(place([10.0, 0.0], [100.0, 50.0, np.pi / 2]), [100.0, 60.0], atol=1e-9)


def test_centroid_is_that_of_the_area() -> None:
    x, y = np.roll(OUTLINE, -1, 0).T, OUTLINE.T
    cross = y[0] * x[1] - x[0] * y[1]
    area = cross.sum() / 2
    expected = ((OUTLINE + np.roll(OUTLINE, -1, 0)) * cross[:, None]).sum(0) / (6 * area)
    np.testing.assert_allclose(centroid_at([0.0, 0.0, 0.0]), expected)
    assert area == pytest.approx(120 * 30 + 30 * 90)


def test_pixels_and_units_are_inverse_and_pixel_centres_lie_between() -> None:
    assert to_pixels(512 / 96 / 2 - 0.5, 96) == pytest.approx(0.0)
    assert to_pixels(511.5, 96) == pytest.approx(95.5)
    np.testing.assert_allclose(to_units(to_pixels([3.0, 400.0], 96), 96), [3.0, 400.0])
