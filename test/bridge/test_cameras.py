"""Poses and intrinsics between ROS (REP-103, REP-104) and the model's optical axes, with hand-written expectations."""

import numpy as np
import pytest
from geometry_msgs.msg import Point, Pose, Quaternion
from hypothesis import given
from hypothesis import strategies as st
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Header

from lingbot_ros.bridge.cameras import (
    camera_info,
    camera_to_world_to_pose,
    intrinsics_of,
    pose_to_camera_to_world,
)
from lingbot_ros.errors import InputError

HALF = np.sqrt(0.5)


def pose(position: tuple[float, float, float], quaternion: tuple[float, float, float, float] = (0, 0, 0, 1)) -> Pose:
    x, y, z = map(float, position)
    qx, qy, qz, qw = map(float, quaternion)
    return Pose(position=Point(x=x, y=y, z=z), orientation=Quaternion(x=qx, y=qy, z=qz, w=qw))


def test_a_camera_that_looks_along_map_x() -> None:
    matrix = pose_to_camera_to_world(pose((1, 2, 3)), "pose")
    right, down, forward = matrix[:3, :3].T
    assert np.allclose(forward, [1, 0, 0]) and np.allclose(right, [0, -1, 0]) and np.allclose(down, [0, 0, -1])
    assert np.allclose(matrix[:3, 3], [1, 2, 3])


def test_a_left_turn_is_a_negative_turn_about_the_optical_y_axis() -> None:
    before = pose_to_camera_to_world(pose((0, 0, 0)), "pose")
    after = pose_to_camera_to_world(pose((0, 0, 0), (0, 0, HALF, HALF)), "pose")
    turn = (np.linalg.inv(before) @ after)[:3, :3]
    assert np.allclose(turn @ [0, 0, 1], [-1, 0, 0])  # what was ahead is now seen from a camera that looks left


def test_a_forward_move_is_plus_z_and_a_move_left_minus_x() -> None:
    start = np.linalg.inv(pose_to_camera_to_world(pose((0, 0, 0)), "pose"))
    for move, expected in (((1, 0, 0), (0, 0, 1)), ((0, 1, 0), (-1, 0, 0)), ((0, 0, 1), (0, -1, 0))):
        assert np.allclose((start @ pose_to_camera_to_world(pose(move), "pose"))[:3, 3], expected)


@given(st.lists(st.floats(-1, 1), min_size=4, max_size=4).filter(lambda q: np.linalg.norm(q) > 0.1))
def test_there_and_back(quaternion: list[float]) -> None:
    unit = np.array(quaternion) / np.linalg.norm(quaternion)
    back = camera_to_world_to_pose(pose_to_camera_to_world(pose((1, -2, 3), tuple(unit)), "pose"))
    found = np.array([back.orientation.x, back.orientation.y, back.orientation.z, back.orientation.w])
    assert abs(abs(found @ unit) - 1) < 1e-9  # q and -q are one rotation
    assert (back.position.x, back.position.y, back.position.z) == pytest.approx((1, -2, 3))


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        (pose((np.nan, 0, 0)), "pose.position"),
        (pose((0, 0, 0), (0, 0, 0, 0)), "pose.orientation"),
        (pose((0, 0, 0), (0, 0, 0, 2)), "pose.orientation"),
        (pose((0, 0, 0), (np.nan, 0, 0, 1)), "pose.orientation"),
    ],
)
def test_unusable_poses_are_named(bad: Pose, field: str) -> None:
    with pytest.raises(InputError) as error:
        pose_to_camera_to_world(bad, "pose")
    assert error.value.field == field


def test_camera_info_of_an_ideal_pinhole() -> None:
    matrix = np.array([[500.0, 0, 416], [0, 480, 232], [0, 0, 1]])
    info = camera_info(matrix, 464, 832, Header(frame_id="camera"))
    assert info.k.tolist() == [500, 0, 416, 0, 480, 232, 0, 0, 1]
    assert info.p.tolist() == [500, 0, 416, 0, 0, 480, 232, 0, 0, 0, 1, 0]
    assert info.r.tolist() == [1, 0, 0, 0, 1, 0, 0, 0, 1] and list(info.d) == [0] * 5
    assert (info.height, info.width, info.distortion_model) == (464, 832, "plumb_bob")
    assert np.array_equal(intrinsics_of(info, 464, 832), matrix)
    assert intrinsics_of(camera_info(None, 4, 4, Header()), 4, 4) is None


@pytest.mark.parametrize(("change", "field"), [({"height": 3}, "height"), ({"d": [0.1] * 5}, r"\.d")])
def test_cameras_that_do_not_fit_are_refused(change: dict[str, object], field: str) -> None:
    info: CameraInfo = camera_info(np.eye(3), 464, 832, Header())
    for name, value in change.items():
        setattr(info, name, value)
    with pytest.raises(InputError, match=field):
        intrinsics_of(info, 464, 832)
