"""Joint states in parts: what each message changes, and when a joint is missing."""

import numpy as np
import pytest

from lingbot_ros.checkpoints.cards import ControlSpec
from lingbot_ros.control.joint_states import JointStates
from lingbot_ros.control.mappings import JointMap
from lingbot_ros.errors import InputError

SPEC = ControlSpec("action", 2, ("x", "y"), (0.0, 0.0), (10.0, 10.0))
JOINTS = JointMap.parse(["arm", "gripper"], SPEC, clip=False)


def states(*, whole_sets: bool = False) -> JointStates:
    return JointStates(JOINTS, 0.5, whole_sets=whole_sets)


def test_each_joint_keeps_its_newest_value() -> None:
    joints = states()
    assert joints.put({"arm": 1.0}, 10.0, "joints") is None
    np.testing.assert_array_equal(joints.put({"gripper": 2.0, "wrist": 9.0}, 10.1, "joints"), [1, 2])
    np.testing.assert_array_equal(joints.put({"arm": 3.0}, 10.2, "joints"), [3, 2])


def test_messages_that_name_none_of_the_joints_mean_nothing() -> None:
    joints = states()
    assert joints.put({}, 0.0, "joints") is None and joints.put({"wheel": np.nan}, 99.0, "joints") is None
    np.testing.assert_array_equal(joints.put({"arm": 1.0, "gripper": 2.0}, 99.1, "joints"), [1, 2])


def test_a_joint_that_is_missing_for_too_long_is_named_until_it_comes() -> None:
    joints = states()
    assert joints.put({"arm": 1.0}, 10.0, "joints") is None
    with pytest.raises(InputError, match="joints.name: got arm; give 'gripper', too, which is missing for 0.60 s"):
        joints.put({"arm": 1.0}, 10.6, "joints")
    np.testing.assert_array_equal(joints.put({"gripper": 2.0}, 10.7, "joints"), [1, 2])
    with pytest.raises(InputError, match="give 'arm'"):
        joints.put({"gripper": 2.0}, 11.2, "joints")


def test_a_value_beyond_its_limits_changes_nothing() -> None:
    joints = states()
    joints.put({"arm": 1.0, "gripper": 2.0}, 10.0, "joints")
    for value in (11.0, np.nan):
        with pytest.raises(InputError, match="joints.gripper"):
            joints.put({"arm": 5.0, "gripper": value}, 10.1, "joints")
    np.testing.assert_array_equal(joints.put({"arm": 3.0}, 10.2, "joints"), [3, 2])


def test_whole_sets_are_one_action_each() -> None:
    joints = states(whole_sets=True)
    said = [joints.put({name: value}, 10.0, "joints") for value in (1.0, 2.0) for name in ("arm", "gripper")]
    assert said[0] is None and said[2] is None
    np.testing.assert_array_equal(np.stack([said[1], said[3]]), [[1, 1], [2, 2]])  # type: ignore[arg-type]
