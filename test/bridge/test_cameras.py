"""Poses and intrinsics between ROS (REP-103, REP-104) and the model's optical axes, with hand-written expectations."""

import numpy as np
import pytest
from geometry_msgs.msg import Point, Pose, Quaternion
from hypothesis import given
from hypothesis import strategies as st
from sensor_msgs.msg import CameraInfo, RegionOfInterest
from std_msgs.msg import Header

from lingbot_ros.bridge.cameras import (
    camera_info,
    camera_to_world_to_pose,
    pose_to_camera_to_world,
)
from lingbot_ros.errors import InputError
from lingbot_ros.recording.cameras import intrinsics_of

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
    for rectified in (False, True):
        assert np.array_equal(intrinsics_of(info, 464, 832, rectified=rectified), matrix)
        assert intrinsics_of(camera_info(None, 4, 4, Header()), 4, 4, rectified=rectified) is None


K = np.array([[500.0, 0, 420], [0, 510, 240], [0, 0, 1]])
P = np.array([[450.0, 0, 400, -30], [0, 450, 235, 0], [0, 0, 1, 0]])


def calibrated(**changes: object) -> CameraInfo:
    """As a calibration of a lens leaves it: K and D of the raw image, P of the rectified one."""
    info = camera_info(K, 480, 832, Header())
    info.d, info.p = [0.1, -0.2, 0.0, 0.0, 0.0], P.ravel()
    for name, value in changes.items():
        setattr(info, name, value)
    return info


def test_a_rectified_image_is_described_by_p() -> None:
    np.testing.assert_array_equal(intrinsics_of(calibrated(), 480, 832, rectified=True), P[:, :3])
    uncalibrated_raw = calibrated(k=np.zeros(9))
    np.testing.assert_array_equal(intrinsics_of(uncalibrated_raw, 480, 832, rectified=True), P[:, :3])
    fisheye = calibrated(distortion_model="equidistant")
    np.testing.assert_array_equal(intrinsics_of(fisheye, 480, 832, rectified=True), P[:, :3])
    without_p = calibrated(p=np.zeros(12), d=[])
    np.testing.assert_array_equal(intrinsics_of(without_p, 480, 832, rectified=True), K)


def test_the_part_and_the_binning_of_the_sensor_count() -> None:
    """Pixel centres are whole numbers: the centre of the left one of two binned pixels is at 0, of both at 0.5."""
    part = RegionOfInterest(x_offset=100, y_offset=40, width=400, height=200)
    info = calibrated(d=[], roi=part, binning_x=2, binning_y=2)
    found = intrinsics_of(info, 100, 200, rectified=False)
    expected = [[250, 0, (420 - 100 + 0.5) / 2 - 0.5], [0, 255, (240 - 40 + 0.5) / 2 - 0.5], [0, 0, 1]]
    np.testing.assert_allclose(found, expected)  # type: ignore[arg-type]
    binned = intrinsics_of(calibrated(binning_x=2), 480, 416, rectified=True)
    np.testing.assert_allclose(binned, [[225, 0, 199.75], [0, 450, 235], [0, 0, 1]])  # type: ignore[arg-type]


NO_P = {"p": np.zeros(12)}


@pytest.mark.parametrize(
    ("changes", "rectified", "message"),
    [
        ({}, False, r"camera_info.d: got .*set the parameter camera.rectified"),
        ({"d": [], "distortion_model": "equidistant"}, False, "distortion_model: got 'equidistant'"),
        ({"d": [0.0] * 4, "distortion_model": "fisheye"}, False, "distortion_model: got 'fisheye'"),
        ({"d": [], "k": np.zeros(9)}, False, "camera_info.k: got zeros; only camera_info.p is set"),
        (NO_P, True, r"camera_info.d"),
        ({"d": [], "k": np.diag([1.0, 1, 1]).ravel()}, False, "focal length in pixels; 1 does not fit"),
        ({"d": [], "k": np.diag([np.nan, 1, 1]).ravel()}, False, "finite intrinsics"),
        ({"d": [], "k": np.diag([-500.0, 500, 1]).ravel()}, False, "positive focal"),
        ({"p": np.full(12, np.inf)}, True, "camera_info.p: got .*finite"),
        ({"p": [450.0, 0, 9000, 0, 0, 450, 235, 0, 0, 0, 1, 0]}, True, "centre 9000 is far outside"),
        ({"height": 470}, True, "camera_info.height, camera_info.width: got 470 x 832"),
        ({"binning_x": 2}, True, "got 480 x 416; give the camera_info of the image"),
        ({"roi": RegionOfInterest(x_offset=500, width=400, height=480)}, True, "camera_info.roi"),
    ],
)
def test_what_is_no_camera_of_the_image_is_refused(changes: dict[str, object], rectified: bool, message: str) -> None:
    with pytest.raises(InputError, match=message):
        intrinsics_of(calibrated(**changes), 480, 832, rectified=rectified)


def test_places_beyond_the_world_are_refused() -> None:
    with pytest.raises(InputError, match="pose.position"):
        pose_to_camera_to_world(pose((1e308, 0, 0)), "pose")
