"""An action model driven by what other robots say: joints and velocities through maps from YAML, or refused."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from builtin_interfaces.msg import Duration
from geometry_msgs.msg import PoseStamped, Twist, TwistStamped
from lifecycle_msgs.msg import Transition
from nav_msgs.msg import Path as PathMessage
from numpy.testing import assert_allclose
from rclpy.node import Node
from sensor_msgs.msg import JointState, Joy
from std_msgs.msg import String
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from lingbot_msgs.msg import ErrorCode, FrameInfo
from lingbot_ros.errors import InputError
from lingbot_ros.nodes.imagination.parameters import PARAMETERS, config_of
from test.support.imagination import NodeUnderTest, Probe, running_node

MAPS = """
/**/imagination:
  ros__parameters:
    mode: lockstep
    publish: {status_period: 0.1}
    input:
      velocity_map: ["100 -100*linear.y", "200 -100*linear.x"]
      cmd_vel: {stamped: false}
      joints:
        map: ["slide 0.0 2.0", "lift 1.0 -1.0"]
"""
"""The model's components run from 0 to 512; `lift` runs the other way round."""


@pytest.fixture(scope="module")
def mapped(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Probe]:
    folder = tmp_path_factory.mktemp("node")
    (folder / "maps.yaml").write_text(MAPS)
    extra = ["--params-file", str(folder / "maps.yaml")]
    with running_node(folder, extra=extra, model__name=model) as (_, probe):
        probe.bring_up()
        yield probe


def publish(probe: Probe, topic: str, *messages: Any) -> None:
    publisher = probe.node.create_publisher(type(messages[0]), topic, 1000)
    probe.wait(publisher.get_subscription_count)
    received = probe.statuses[-1].controls_received + probe.statuses[-1].controls_rejected
    for message in messages:
        publisher.publish(message)
    probe.wait(lambda: probe.statuses[-1].controls_received + probe.statuses[-1].controls_rejected > received)
    probe.node.destroy_publisher(publisher)


def frames(probe: Probe, session_id: str, count: int) -> list[FrameInfo]:
    probe.wait(lambda: len(probe.imagined(session_id)) >= count)
    return probe.imagined(session_id)


def joints(**positions: float) -> JointState:
    return JointState(name=list(positions), position=list(positions.values()))


def test_joint_states_by_name(mapped: Probe) -> None:
    mapped.start(session_id="arm")
    publish(mapped, "joint_states", joints(wrist=9.0, lift=0.5, slide=0.5))
    (info,) = frames(mapped, "arm", 1)
    assert_allclose(info.control, [128, 128])
    assert info.control_source == FrameInfo.SOURCE_JOINT_STATE
    publish(mapped, "joint_states", joints(slide=2.5, lift=0.0))
    assert mapped.statuses[-1].last_error_code == ErrorCode.INVALID_INPUT
    assert mapped.statuses[-1].last_error_msg.startswith(
        "joint_states.slide: got 2.5; give a finite number from 0 to 2"
    )
    publish(mapped, "joint_states", joints(slide=1.0, lift=math.nan))
    assert mapped.statuses[-1].last_error_msg.startswith("joint_states.lift: got nan")
    publish(mapped, "joint_states", JointState(name=["slide", "lift"], position=[1.0]))
    assert mapped.statuses[-1].last_error_msg.startswith("joint_states.position: got 1 numbers; give one per joint, 2")
    publish(mapped, "joint_states", joints(slide=2.0, lift=-1.0))
    assert_allclose(frames(mapped, "arm", 2)[1].control, [512, 512])


def test_joint_states_in_parts(mapped: Probe) -> None:
    """Slide and lift have publishers of their own; another arm's joints mean nothing. A set is one frame."""
    mapped.start(session_id="parts")
    before = mapped.statuses[-1].controls_rejected
    parts = (joints(slide=0.5), joints(elbow=3.0), JointState(), joints(lift=0.5), joints(slide=1.0), joints(lift=0.0))
    publish(mapped, "joint_states", *parts)
    assert_allclose([info.control for info in frames(mapped, "parts", 2)], [[128, 128], [256, 256]])
    assert mapped.statuses[-1].controls_rejected == before


def test_a_joint_trajectory_at_frame_rate(mapped: Probe) -> None:
    """0.2 s at 10 frames per second: half way, and there."""
    mapped.start(session_id="plan")
    points = [JointTrajectoryPoint(positions=[0.0, 1.0]), JointTrajectoryPoint(positions=[2.0, 1.0])]
    points[1].time_from_start = Duration(nanosec=200_000_000)
    publish(mapped, "joint_trajectory", JointTrajectory(joint_names=["slide", "lift"], points=points))
    heard = frames(mapped, "plan", 2)
    assert_allclose([info.control for info in heard], [[256, 0], [512, 0]])
    assert {info.control_source for info in heard} == {FrameInfo.SOURCE_JOINT_TRAJECTORY}


def test_velocities_from_where_the_map_says_and_then_from_the_last_action(mapped: Probe) -> None:
    mapped.start(session_id="drive")
    message = Twist()
    message.linear.x, message.linear.y = 0.5, -1.0
    publish(mapped, "cmd_vel", message)
    publish(mapped, "cmd_vel", message)
    heard = frames(mapped, "drive", 2)
    assert_allclose([info.control for info in heard], [[110, 195], [120, 190]])
    assert heard[0].control_source == FrameInfo.SOURCE_CMD_VEL
    mapped.act(1, [300.0, 300.0])
    frames(mapped, "drive", 3)
    publish(mapped, "keys", String(data="d"))
    info = frames(mapped, "drive", 4)[3]
    assert_allclose(info.control, [308, 300])  # 0.8 m/s to the right for 0.1 s
    assert info.control_source == FrameInfo.SOURCE_KEYS


REFUSED: dict[str, tuple[str, Any, str]] = {
    "cmd_vel": ("cmd_vel", TwistStamped(), "cmd_vel: this model is driven by actions; set input.velocity_map"),
    "joy": (
        "joy",
        Joy(axes=[0.0] * 6, buttons=[0] * 6),
        "joy: this model is driven by actions; set input.velocity_map",
    ),
    "joints": ("joint_states", joints(slide=1.0), "joint_states: set input.joints.map to say which joint drives"),
    "pose": ("camera_pose", PoseStamped(), "camera_pose: this model is driven by actions, not camera poses"),
    "path": ("path", PathMessage(), "path: this model is driven by actions, not camera poses"),
}


@pytest.mark.parametrize(("topic", "message", "reason"), REFUSED.values(), ids=REFUSED)
def test_without_a_map_it_is_one_clear_line(
    lockstep: tuple[NodeUnderTest, Probe], probe: Probe, topic: str, message: Any, reason: str
) -> None:
    node, _ = lockstep
    publish(probe, topic, message)
    probe.wait(lambda: reason in node.log_text())
    probe.wait(lambda: probe.statuses[-1].last_error_code == ErrorCode.UNSUPPORTED)


def test_a_second_node_of_the_same_name_is_said(lockstep: tuple[NodeUnderTest, Probe], probe: Probe) -> None:
    node, _ = lockstep
    twin = Node("imagination", context=probe.node.context)
    probe.wait(lambda: "another node is called /imagination, too" in node.log_text())
    twin.destroy_node()


def test_a_publisher_of_the_other_kind_of_twist_is_named(lockstep: tuple[NodeUnderTest, Probe], probe: Probe) -> None:
    node, _ = lockstep
    publisher = probe.node.create_publisher(Twist, "cmd_vel", 1)
    probe.wait(lambda: "/cmd_vel: 'probe' publishes geometry_msgs/msg/Twist, which never arrives" in node.log_text())
    probe.node.destroy_publisher(publisher)


def test_a_mapping_that_does_not_fit_the_model_ends_configure(model: Path, tmp_path: Path) -> None:
    with running_node(tmp_path, model__name=model, input__joints__map="['a', 'b 1.0']") as (node, probe):
        assert not probe.transition(Transition.TRANSITION_CONFIGURE)
        probe.wait(lambda: "input.joints.map[1]: got 'b 1.0'; write JOINT, or JOINT LOW HIGH" in node.log_text())


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("input.priority", ["joy", "mouse"], "input.priority: got 'mouse'; name each at most once: action, "),
        ("input.priority", ["joy", "joy"], "input.priority: got 'joy'; name each at most once: action, "),
        ("input.joy.axes", [1, 2], "input.joy.axes: got [1, 2]; give six numbers"),
    ],
)
def test_parameters_that_never_fit(name: str, value: object, message: str) -> None:
    values = {parameter.name: parameter.default for parameter in PARAMETERS}
    config_of(values)
    with pytest.raises(InputError) as error:
        config_of({**values, name: value})
    assert str(error.value).startswith(message)
