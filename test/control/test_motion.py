"""How controls move on: signs of REP-103 worked out by hand, arcs, levelled looks, and limits."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from lingbot_ros.checkpoints.cards import ControlSpec
from lingbot_ros.control.axes import BODY_FROM_OPTICAL
from lingbot_ros.control.motion import PITCH_LIMIT, ActionMotion, CameraMotion, motion_of

CAMERA = CameraMotion(fps=16.0)
ACTION = ActionMotion(ControlSpec("action", 2, ("x", "y"), (0.0, 0.0), (512.0, 100.0)), fps=10.0)
small = st.floats(-2.0, 2.0, allow_nan=False)
twists = st.tuples(small, small, small, small, small, small)


def moved(twist: tuple[float, ...], start: np.ndarray | None = None, level: bool = False) -> np.ndarray:
    return CAMERA.advance(CAMERA.rest() if start is None else start, np.array(twist), level=level)


SIGNS = {
    "forward is optical +z": ((1.6, 0, 0, 0, 0, 0), (0, 0, 0.1)),
    "left is optical -x": ((0, 1.6, 0, 0, 0, 0), (-0.1, 0, 0)),
    "up is optical -y": ((0, 0, 1.6, 0, 0, 0), (0, -0.1, 0)),
}


@pytest.mark.parametrize(("twist", "optical"), SIGNS.values(), ids=SIGNS)
def test_translation(twist: tuple[float, ...], optical: tuple[float, ...]) -> None:
    start = CAMERA.rest()
    seen = start[:3, :3].T @ moved(twist)[:3, 3]
    assert_allclose(seen, optical, atol=1e-15)


def test_turning_left_is_a_negative_turn_about_optical_y() -> None:
    turn = CAMERA.rest()[:3, :3].T @ moved((0, 0, 0, 0, 0, 1.6))[:3, :3]
    c, s = math.cos(0.1), math.sin(0.1)
    assert_allclose(turn, [[c, 0, -s], [0, 1, 0], [s, 0, c]], atol=1e-15)


def test_driving_a_quarter_circle_frame_by_frame() -> None:
    pose = CAMERA.rest()
    for _ in range(16):
        pose = CAMERA.advance(pose, np.array([1.0, 0, 0, 0, 0, math.pi / 2]), level=False)
    assert_allclose(pose[:3, 3], [2 / math.pi, 2 / math.pi, 0], atol=1e-14)
    forward = pose[:3, 2]
    assert_allclose(forward, [0, 1, 0], atol=1e-14)


@given(twists, twists)
def test_a_level_camera_keeps_its_roll_and_its_pitch_within_limits(
    first: tuple[float, ...], then: tuple[float, ...]
) -> None:
    pose = moved((0, 0, 0, 0, *first[4:]), level=True)
    for _ in range(5):
        pose = CAMERA.advance(pose, np.array(then), level=True)
    body = pose[:3, :3] @ BODY_FROM_OPTICAL.T
    assert abs(math.atan2(body[2, 1], body[2, 2])) < 1e-9
    assert abs(math.asin(-body[2, 0])) <= PITCH_LIMIT + 1e-9


def test_a_level_camera_that_looks_down_moves_ahead_not_into_the_ground() -> None:
    down = moved((0, 0, 0, 0, 8.0, 0), level=True)
    ahead = CAMERA.advance(down, np.array([1.6, 0, 0, 0, 0, 0]), level=True)
    assert_allclose(ahead[:3, 3], [0.1, 0, 0], atol=1e-15)
    assert_allclose(ahead[:3, :3], down[:3, :3], atol=1e-15)


def test_poses_are_travelled_through_to_the_newest() -> None:
    goals = []
    for x in (1.0, 2.0):
        pose = CAMERA.rest()
        pose[0, 3] = x
        goals.append(pose)
    positions = [pose[0, 3] for pose in CAMERA.travel(CAMERA.rest(), goals, 8)]
    assert_allclose(positions, np.linspace(0.25, 2.0, 8))
    assert CAMERA.travel(CAMERA.rest(), goals, 2)[0] is goals[0]


def test_actions_stay_within_their_limits() -> None:
    values = ACTION.rest()
    assert_allclose(values, [256, 50])
    for _ in range(20):
        values = ACTION.advance(values, np.array([-100.0, 50.0]), level=False)
    assert_allclose(values, [56, 100])
    assert_allclose(ACTION.travel(values, [np.zeros(2), np.ones(2)], 3), np.ones((3, 2)))


KEYED = motion_of(ControlSpec("camera", 4, ("w", "a", "s", "d"), (0.0,) * 4, (1.0,) * 4), fps=16.0)


@given(twist=twists)
def test_a_camera_with_keys_moves_as_one_without(twist: tuple[float, ...]) -> None:
    control = KEYED.advance(CAMERA.rest(), np.array(twist), level=True)
    assert_allclose(control[:4], moved(twist, level=True))
    forward, left = twist[:2]
    assert control[4].tolist() == [forward > 0, left > 0, forward < 0, left < 0]
    assert KEYED.stand(control)[4].tolist() == [0, 0, 0, 0]
    assert_allclose(KEYED.stand(control)[:4], control[:4])


def test_on_the_way_to_a_pose_its_keys_are_pressed() -> None:
    first, second = (
        KEYED.advance(KEYED.rest(), np.array([speed, 0, 0, 0, 0, 0]), level=False) for speed in (1.6, -1.6)
    )
    places = KEYED.travel(KEYED.rest(), [first, second], 4)
    assert [place[4].tolist() for place in places] == [[1, 0, 0, 0]] * 2 + [[0, 0, 1, 0]] * 2
    assert_allclose([place[0, 3] for place in places], [0.05, 0.1, 0, -0.1], atol=1e-12)
    assert np.array_equal(KEYED.travel(KEYED.rest(), [first, second], 2), [first, second])
