"""Joints and velocities as actions, and trajectories at frame rate."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from lingbot_ros.checkpoints.cards import ControlSpec
from lingbot_ros.control.mappings import ActionMaps, JointMap, VelocityMap
from lingbot_ros.control.trajectories import resample_poses, resample_values
from lingbot_ros.errors import InputError

SPEC = ControlSpec("action", 2, ("x", "y"), (0.0, 0.0), (512.0, 512.0))


def test_joints_are_found_by_name_and_normalised() -> None:
    joints = JointMap.parse(["shoulder -1.5 0.5", "elbow 2.0 1.0"], SPEC, clip=False)
    assert_allclose(joints.action({"elbow": 1.25, "other": 9.0, "shoulder": 0.0}, "joint_states"), [384, 384])
    plain = JointMap.parse(["x_slide", "y_slide"], SPEC, clip=False)
    assert_allclose(plain.action({"y_slide": 7.0, "x_slide": 512.0}, "joint_states"), [512, 7])


def test_joints_beyond_their_limits() -> None:
    lines = ["shoulder -1.5 0.5", "elbow 2.0 1.0"]
    beyond = {"shoulder": -2.0, "elbow": 0.5}
    assert_allclose(JointMap.parse(lines, SPEC, clip=True).action(beyond, "joints"), [0, 512])
    with pytest.raises(InputError, match=r"joints.shoulder: got -2.0; give a finite number from -1.5 to 0.5"):
        JointMap.parse(lines, SPEC, clip=False).action(beyond, "joints")


@pytest.mark.parametrize("clip", [True, False])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_joint_that_is_not_finite_is_never_used(clip: bool, value: float) -> None:
    with pytest.raises(InputError, match="joints.elbow"):
        JointMap.parse(["shoulder", "elbow"], SPEC, clip=clip).action({"shoulder": 1.0, "elbow": value}, "joints")


def test_a_missing_joint_is_named() -> None:
    with pytest.raises(InputError, match="give 'elbow', which drives y"):
        JointMap.parse(["shoulder", "elbow"], SPEC, clip=False).action({"shoulder": 1.0}, "joints")


@pytest.mark.parametrize(
    ("lines", "field"),
    [
        (["a"], "input.joints.map"),
        (["a", "a"], "input.joints.map"),
        (["a", "b 1.0"], "input.joints.map[1]"),
        (["a 1.0 1.0", "b"], "input.joints.map[0]"),
        (["a 0 x", "b"], "input.joints.map[0]"),
        (["a 0 nan", "b"], "input.joints.map[0]"),
        (["", "b"], "input.joints.map[0]"),
    ],
)
def test_a_joint_map_that_does_not_fit(lines: list[str], field: str) -> None:
    with pytest.raises(InputError) as error:
        JointMap.parse(lines, SPEC, clip=False)
    assert error.value.field == field


def test_a_velocity_map_adds_its_terms() -> None:
    velocities = VelocityMap.parse(["-100*linear.y -50.5*angular.z", "+20*linear.x"], SPEC)
    assert_allclose(velocities.matrix @ [1, 2, 0, 0, 0, 2], [-301, 20])


@pytest.mark.parametrize("line", ["linear.x", "2*linear.w", "x*linear.x", "2 * linear.x", "1e3*linear.x"])
def test_a_velocity_map_that_cannot_be_read(line: str) -> None:
    with pytest.raises(InputError, match=r"input.velocity_map\[1\]"):
        VelocityMap.parse(["1*linear.x", line], SPEC)


def test_a_velocity_map_may_say_where_components_start() -> None:
    velocities = VelocityMap.parse(["12 -100*linear.y", "+20*linear.x"], SPEC)
    middle = (SPEC.low[1] + SPEC.high[1]) / 2
    assert_allclose(velocities.start, [12, middle])
    assert_allclose(velocities.matrix @ [1, 2, 0, 0, 0, 0], [-200, 20])
    with pytest.raises(InputError, match=r"input.velocity_map\[0\]: got 100000.0; start "):
        VelocityMap.parse(["100000 1*linear.x", "1*linear.x"], SPEC)


def test_cameras_have_no_maps() -> None:
    assert ActionMaps.parse(["a"], ["b"], ControlSpec("camera", 0), clip=False) == ActionMaps()


def line(*positions: float) -> np.ndarray:
    poses = np.tile(np.eye(4), (len(positions), 1, 1))
    poses[:, 0, 3] = positions
    return poses


def test_a_path_is_resampled_at_frame_times() -> None:
    poses = resample_poses(line(0, 1, 3), [0.0, 1.0, 1.5], 4.0, "path")
    assert_allclose(poses[:, 0, 3], [0.25, 0.5, 0.75, 1.0, 2.0, 3.0])
    assert_allclose(resample_poses(line(5, 7), [0, 0], 4.0, "path")[:, 0, 3], [5, 7])
    assert_allclose(resample_poses(line(5), [0], 4.0, "path")[:, 0, 3], [5])


def test_a_stamp_that_was_forgotten_does_not_ask_for_decades() -> None:
    with pytest.raises(InputError, match="give at most 100000 frames"):
        resample_poses(line(0, 1), [0.0, 1.7e9], 16.0, "path")


def test_a_joint_trajectory_holds_before_its_first_point() -> None:
    values = np.array([[10.0], [20.0]])
    assert_allclose(resample_values(values, [0.5, 1.0], 4.0, "points")[:, 0], [10, 10, 15, 20])
    assert_allclose(resample_values(values[:1], [0.0], 4.0, "points")[:, 0], [10])
    assert_allclose(resample_values(values, [0.0, 0.1], 4.0, "points")[:, 0], [20])


@pytest.mark.parametrize("times", [[0.0, 1.0, 1.0], [0.0, 2.0, 1.0]])
def test_times_that_go_back_are_named(times: list[float]) -> None:
    with pytest.raises(InputError, match=r"path\[2\]: .*increase strictly"):
        resample_poses(line(0, 1, 2), times, 4.0, "path")
