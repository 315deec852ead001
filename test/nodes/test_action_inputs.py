"""An action model driven by joints and velocities, through a YAML file, and a policy that dies and comes back."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from builtin_interfaces.msg import Duration
from geometry_msgs.msg import PoseStamped, Twist, Vector3
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from lingbot_msgs.msg import ErrorCode, FrameInfo
from lingbot_msgs.srv import StartSession
from lingbot_ros.errors import InputError
from lingbot_ros.nodes.parameters import PARAMETERS, config_of
from test.support.imagination import PATIENCE_S, ROOT, Probe, isolated_environment, running_node

ROBOT = """
/**/imagination:
  ros__parameters:
    mode: lockstep
    publish: {status_period: 0.1}
    input:
      joints:
        map: ["slide_x 0.0 0.5", "slide_y 0.5 0.0"]
      velocity_map: ["-100*linear.y", "-100*linear.x"]
      cmd_vel: {stamped: false}
"""


@pytest.fixture(scope="module")
def robot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Probe]:
    """The shipped model, with joints that slide from 0 to 0.5 m, the second one the other way round."""
    folder = tmp_path_factory.mktemp("robot")
    file = folder / "robot.yaml"
    file.write_text(ROBOT)
    with running_node(folder, extra=["--params-file", str(file)], model__name="pusht-small") as (_, probe):
        probe.bring_up()
        yield probe


def say(probe: Probe, topic: str, *messages: Any) -> None:
    """The publisher lives on with the probe: one that is destroyed at once may take its messages with it."""
    publisher = probe.node.create_publisher(type(messages[0]), topic, 100)
    probe.wait(publisher.get_subscription_count)
    for message in messages:
        publisher.publish(message)


def begin(probe: Probe, session_id: str) -> None:
    assert probe.call(StartSession, "start_session", StartSession.Request(session_id=session_id)).error_msg == ""


def used(probe: Probe, session_id: str, count: int) -> list[tuple[int, list[float]]]:
    probe.wait(lambda: len(probe.imagined(session_id)) >= count)
    return [(info.control_source, list(info.control)) for info in probe.imagined(session_id)]


def test_joints_drive_by_name_with_their_limits(robot: Probe) -> None:
    begin(robot, "joints")
    state = JointState(name=["wrist", "slide_y", "slide_x"], position=[9.0, 0.125, 0.25])
    say(robot, "joint_states", state)
    used(robot, "joints", 1)
    trajectory = JointTrajectory(joint_names=["slide_x", "slide_y"])
    for x, nanoseconds in ((0.0, 100_000_000), (0.5, 300_000_000)):
        point = JointTrajectoryPoint(positions=[x, 0.5], time_from_start=Duration(nanosec=nanoseconds))
        trajectory.points.append(point)
    say(robot, "joint_trajectory", trajectory)
    plan = FrameInfo.SOURCE_JOINT_TRAJECTORY
    expected = [(FrameInfo.SOURCE_JOINT_STATE, [256.0, 384.0]), (plan, [0.0, 0.0]), (plan, [256.0, 0.0])]
    heard = used(robot, "joints", 4)
    assert [source for source, _ in heard] == [source for source, _ in expected] + [plan]
    for (_, values), (_, wanted) in zip(heard, [*expected, (plan, [512.0, 0.0])], strict=True):
        assert values == pytest.approx(wanted)


def test_velocities_move_the_place_that_the_last_action_asked_for(robot: Probe) -> None:
    begin(robot, "moved")
    robot.act(1, [100.0, 300.0])
    used(robot, "moved", 1)
    say(robot, "cmd_vel", Twist(linear=Vector3(x=1.0, y=-2.0)))
    used(robot, "moved", 2)
    say(robot, "keys", String(data="w"))
    heard = used(robot, "moved", 3)
    assert heard[1] == (FrameInfo.SOURCE_CMD_VEL, [pytest.approx(120.0), pytest.approx(290.0)])
    assert heard[2] == (FrameInfo.SOURCE_KEYS, [pytest.approx(120.0), pytest.approx(282.0)])


REFUSED = {
    "joint": (JointState(name=["slide_x"], position=[0.1]), "joint_states.name: got slide_x; give 'slide_y'"),
    "limit": (
        JointState(name=["slide_x", "slide_y"], position=[0.6, 0.1]),
        "joint_states.slide_x: got 0.6; give a",
    ),
    "nan": (JointState(name=["slide_x", "slide_y"], position=[0.1, float("nan")]), "joint_states.slide_y: got nan"),
    "length": (
        JointState(name=["slide_x", "slide_y"], position=[0.1]),
        "joint_states.position: got 1 numbers; give",
    ),
}


@pytest.mark.parametrize(("message", "told"), REFUSED.values(), ids=REFUSED)
def test_joints_that_cannot_be_used(robot: Probe, message: JointState, told: str) -> None:
    begin(robot, "sound")
    say(robot, "joint_states", message)
    robot.wait(lambda: robot.statuses[-1].last_error_msg.startswith(told))
    robot.act(1, [1.0, 2.0])
    assert used(robot, "sound", 1)[-1] == (FrameInfo.SOURCE_ACTION, [1.0, 2.0])


def test_what_the_model_cannot_take_is_said_once(model: Path, tmp_path: Path) -> None:
    with running_node(tmp_path, model__name=model, publish__status_period=0.1) as (node, probe):
        probe.bring_up()
        probe.start(session_id="live")
        say(probe, "camera_pose", *[PoseStamped()] * 3)
        probe.wait(lambda: probe.statuses[-1].controls_rejected == 3)
        assert probe.statuses[-1].last_error_code == ErrorCode.UNSUPPORTED
        say(probe, "keys", String(data="w"))
        say(probe, "joint_states", JointState())
        probe.wait(lambda: "set input.joints.map" in probe.statuses[-1].last_error_msg)
        other = probe.node.create_publisher(Twist, "cmd_vel", 1)
        probe.wait(lambda: "publishes geometry_msgs/msg/Twist, which never arrives" in node.log_text())
        probe.node.destroy_publisher(other)
        log = node.log_text()
        told = "camera_pose refused, which is said once: camera_pose: this model is driven by actions, not camera poses"
        assert log.count(told) == 1
        assert "keys: this model is driven by actions; set input.velocity_map" in log
        assert probe.imagined("live") == []


def test_a_mapping_that_does_not_fit_the_model_ends_configure(model: Path, tmp_path: Path) -> None:
    with running_node(tmp_path, model__name=model, input__joints__map="['a', 'b 1.0']") as (node, probe):
        assert not probe.transition(1)
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


@contextmanager
def program(environment: dict[str, str], path: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, str(ROOT / path), *arguments]
    with subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                process.wait(PATIENCE_S)


def test_a_policy_that_dies_and_comes_back(tmp_path: Path) -> None:
    """The tutorial's policy, killed in the middle: its last action is held, and a new process goes on at once."""
    with running_node(tmp_path, model__name="pusht-small", input__action_timeout=1.0) as (node, probe):
        environment = isolated_environment() | {"ROS_DOMAIN_ID": str(probe.context.get_domain_id())}
        probe.bring_up()
        begin(probe, "live")

        def driven(state: int, after: int) -> FrameInfo:
            def found() -> list[FrameInfo]:
                return [i for i in probe.imagined("live")[after:] if i.control_state == state and i.control_id]

            probe.wait(found)
            return found()[-1]

        with program(environment, "docs/examples/policy.py") as policy:
            driven(FrameInfo.CONTROL_FRESH, after=2)
            policy.kill()
        held = driven(FrameInfo.CONTROL_HELD, after=2)
        assert held.control_source == FrameInfo.SOURCE_ACTION
        stood = len(probe.imagined("live"))
        with program(environment, "docs/examples/policy.py"):
            driven(FrameInfo.CONTROL_FRESH, after=stood)
        indices = [info.frame_index for info in probe.imagined("live")]
        assert indices == list(range(1, len(indices) + 1))
        assert probe.statuses[-1].error_count == 0, node.log_text()
