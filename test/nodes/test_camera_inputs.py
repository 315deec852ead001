"""A camera model driven over topics: velocities, poses in other frames, paths, and what cannot be used."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from geometry_msgs.msg import Point, Pose, PoseStamped, Quaternion, TransformStamped, TwistStamped, Vector3
from nav_msgs.msg import Odometry
from nav_msgs.msg import Path as PathMessage
from numpy.testing import assert_allclose
from sensor_msgs.msg import Joy
from std_msgs.msg import Header, String
from tf2_msgs.msg import TFMessage

from lingbot_msgs.msg import FrameInfo, RobotAction
from lingbot_msgs.srv import ForkSession, RestoreSession, SaveSession
from lingbot_ros.control.rigid import exponential
from lingbot_ros.nodes import qos
from lingbot_ros.recording.cameras import pose_to_matrix
from test.support.imagination import NodeUnderTest, Probe, running_node
from test.support.tiny_camera import write_tiny_camera_model

FIRST, LATER, FPS = 5, 8, 16.0
DRIVE = (1.0, 0.5, 0.0, 0.0, 0.0, 0.8)
STEP = exponential(np.array(DRIVE) / FPS)
LEFT = Quaternion(z=math.sin(math.pi / 4), w=math.cos(math.pi / 4))


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[NodeUnderTest, Probe]]:
    model = write_tiny_camera_model(tmp_path_factory.mktemp("models"))
    folder = tmp_path_factory.mktemp("node")
    settings = {"publish.tf": True, "publish.status_period": 0.1, "input.action_timeout": 3600.0}
    with running_node(folder, model__name=model, mode="lockstep", **settings) as (process, probe):
        probe.bring_up()
        yield process, probe


@pytest.fixture
def probe(node: tuple[NodeUnderTest, Probe]) -> Probe:
    _, client = node
    client.infos.clear()
    client.start(session_id="cam")
    return client


@pytest.fixture
def say(probe: Probe) -> Iterator[Any]:
    """Publish messages on a topic, once the node listens."""
    publishers: dict[str, Any] = {}

    def publish(topic: str, *messages: Any, profile: Any = 1000) -> None:
        if topic not in publishers:
            publishers[topic] = probe.node.create_publisher(type(messages[0]), topic, profile)
            probe.wait(publishers[topic].get_subscription_count)
        for message in messages:
            publishers[topic].publish(message)

    yield publish
    for publisher in publishers.values():
        probe.node.destroy_publisher(publisher)


def twist(values: tuple[float, ...] = DRIVE, frame_id: str = "") -> TwistStamped:
    message = TwistStamped(header=Header(frame_id=frame_id))
    message.twist.linear = Vector3(x=values[0], y=values[1], z=values[2])
    message.twist.angular = Vector3(x=values[3], y=values[4], z=values[5])
    return message


def pose(x: float = 0.0, frame_id: str = "map", stamp_s: int = 0) -> PoseStamped:
    message = PoseStamped(header=Header(frame_id=frame_id), pose=Pose(position=Point(x=x)))
    message.header.stamp.sec = stamp_s
    return message


def transform(parent: str, child: str, x: float, rotation: Quaternion | None = None) -> TFMessage:
    message = TransformStamped(header=Header(frame_id=parent), child_frame_id=child)
    message.transform.translation.x = x
    message.transform.rotation = rotation or Quaternion()
    return TFMessage(transforms=[message])


def frames(probe: Probe, count: int, session_id: str = "cam") -> list[FrameInfo]:
    probe.wait(lambda: len(probe.imagined(session_id)) >= count)
    return probe.imagined(session_id)


def body(info: FrameInfo) -> np.ndarray:
    assert info.has_camera_pose
    return pose_to_matrix(info.camera_pose, "camera_pose")


def refused(probe: Probe, say: Any, topic: str, message: Any) -> str:
    before = probe.statuses[-1].error_count
    say(topic, message)
    probe.wait(lambda: probe.statuses[-1].error_count > before)
    return str(probe.statuses[-1].last_error_msg)


def test_velocities_are_integrated_exactly_and_go_on_from_the_session(probe: Probe, say: Any) -> None:
    """Also after a fork and a restored snapshot, each from its own place; odometry tells the same."""
    odometry: list[Odometry] = []
    transforms: list[TFMessage] = []
    static: list[TFMessage] = []
    probe.listen(Odometry, "odom", odometry)
    probe.listen(TFMessage, "/tf", transforms)
    probe.node.create_subscription(TFMessage, "/tf_static", static.append, qos.latched())
    probe.wait(lambda: probe.node.count_publishers("odom") == 1)
    say("cmd_vel", *[twist()] * FIRST)
    heard = frames(probe, FIRST)
    expected = np.eye(4)
    for info in heard:
        expected = expected @ STEP
        assert_allclose(body(info), expected, atol=1e-12)
        assert (info.control_source, info.control_state) == (FrameInfo.SOURCE_CMD_VEL, FrameInfo.CONTROL_FRESH)
    saved = probe.call(SaveSession, "save_session", SaveSession.Request(path="here.safetensors", overwrite=True))
    assert saved.error_msg == ""
    fork = ForkSession.Request(session_id="cam", new_session_id="fork", activate=True)
    assert probe.call(ForkSession, "fork_session", fork).error_msg == ""
    say("cmd_vel", *[twist()] * LATER)
    assert_allclose(body(frames(probe, LATER, "fork")[0]), expected @ STEP, atol=1e-12)
    back = RestoreSession.Request(path="here.safetensors", session_id="again", activate=True)
    assert probe.call(RestoreSession, "restore_session", back).error_msg == ""
    say("cmd_vel", *[twist()] * LATER)
    assert_allclose(body(frames(probe, LATER, "again")[0]), expected @ STEP, atol=1e-12)
    for session_id in ("fork", "again"):
        assert len(probe.imagined(session_id)) == LATER
    probe.wait(lambda: len(odometry) >= FIRST and len(transforms) >= FIRST and static)
    told = next(message for message in odometry if message.header.stamp == heard[1].header.stamp)
    assert (told.header.frame_id, told.child_frame_id) == ("map", "imagined_camera_link")
    assert told.pose.pose == heard[1].camera_pose
    velocity, turn = told.twist.twist.linear, told.twist.twist.angular
    assert_allclose([velocity.x, velocity.y, velocity.z, turn.x, turn.y, turn.z], DRIVE, atol=1e-9)
    ours = [t for message in transforms for t in message.transforms if t.header.stamp == heard[1].header.stamp]
    assert (ours[0].header.frame_id, ours[0].child_frame_id) == ("map", "imagined_camera_link")
    optical = static[0].transforms[0]
    assert (optical.header.frame_id, optical.child_frame_id) == (
        "imagined_camera_link",
        "imagined_camera_optical_frame",
    )
    q = optical.transform.rotation
    assert_allclose(np.array([q.x, q.y, q.z, q.w]) * np.sign(q.y), [-0.5, 0.5, -0.5, 0.5])


def test_velocities_begin_at_the_pose_that_the_session_starts_from(probe: Probe, say: Any) -> None:
    probe.start(session_id="placed", start_pose=Pose(position=Point(x=5.0), orientation=LEFT))
    say("cmd_vel", *[twist((1.6, 0, 0, 0, 0, 0))] * FIRST)
    heard = frames(probe, FIRST, "placed")
    assert_allclose([[info.camera_pose.position.x, info.camera_pose.position.y] for info in heard],
                    [[5, 0.1 * (k + 1)] for k in range(FIRST)], atol=1e-12)  # fmt: skip


def test_a_velocity_of_the_base_swings_the_camera(probe: Probe, say: Any) -> None:
    """The camera sits 0.5 m ahead of a base that turns left at 1 rad/s: it moves left at 0.5 m/s."""
    say("/tf_static", transform("base_link", "camera_link", 0.5), profile=qos.latched())
    say("cmd_vel", *[twist((0, 0, 0, 0, 0, 1.0), "camera_link")] * FIRST)
    frames(probe, FIRST)
    spin = frames(probe, FIRST)[-1]
    assert_allclose([spin.camera_pose.position.x, spin.camera_pose.position.y], [0, 0], atol=1e-12)
    say("cmd_vel", *[twist((0, 0, 0, 0, 0, 1.0), "base_link")] * LATER)
    before, after = frames(probe, FIRST + LATER)[FIRST - 1], frames(probe, FIRST + LATER)[-1]
    relative = np.linalg.inv(body(before)) @ body(after)
    assert_allclose(relative, exponential(np.array([0, 0.5, 0, 0, 0, 1.0]) * LATER / FPS), atol=1e-12)


def test_a_pose_in_another_frame(probe: Probe, say: Any) -> None:
    say("/tf_static", transform("map", "table", 2.0, LEFT), profile=qos.latched())
    probe.wait(lambda: "got 'nowhere'" in refused(probe, say, "camera_pose", pose(frame_id="nowhere")))
    probe.wait(lambda: "table" in refused(probe, say, "camera_pose", pose(frame_id="nowhere")))
    say("camera_pose", *[pose(1.0, "table")] * FIRST)
    info = frames(probe, FIRST)[0]
    assert info.control_source == FrameInfo.SOURCE_CAMERA_POSE
    place, turn = info.camera_pose.position, info.camera_pose.orientation
    assert_allclose([place.x, place.y, place.z], [2, 1, 0], atol=1e-12)
    assert_allclose([turn.x, turn.y, turn.z, turn.w], [LEFT.x, LEFT.y, LEFT.z, LEFT.w], atol=1e-12)


def test_a_path_is_resampled_at_frame_rate_and_mixes_in_order(probe: Probe, say: Any) -> None:
    """Lockstep: one queue. A path of 0.25 s is 4 frames; a key press is one; the pose in between is where it ends."""
    path = PathMessage(header=Header(frame_id="map"), poses=[pose(0.0, "", 100), pose(1.0, "", 100)])
    path.poses[1].header.stamp.nanosec = 250_000_000
    say("path", path)
    probe.wait(lambda: probe.statuses[-1].queue_depth == 4)
    say("keys", String(data="w"))
    heard = frames(probe, FIRST)
    xs = [info.camera_pose.position.x for info in heard]
    assert_allclose(xs, [0.25, 0.5, 0.75, 1.0, 1.05], atol=1e-12)
    assert [info.control_source for info in heard] == [FrameInfo.SOURCE_PATH] * 4 + [FrameInfo.SOURCE_KEYS]


def test_a_joystick_drives_while_its_button_is_held(probe: Probe, say: Any) -> None:
    held, axes = [0, 0, 0, 0, 1], [0.0, 1.0, 0.0, 0.0, 0.0]
    say("joy", Joy(axes=axes, buttons=[0] * 5), *[Joy(axes=axes, buttons=held)] * FIRST)
    heard = frames(probe, FIRST)
    assert_allclose(heard[-1].camera_pose.position.x, FIRST * 0.8 / FPS, atol=1e-12)
    assert {info.control_source for info in heard} == {FrameInfo.SOURCE_JOY}


def test_nan_wrong_frame_and_other_kinds_are_one_sentence_each(probe: Probe, say: Any) -> None:
    nan = math.nan
    assert refused(probe, say, "camera_pose", pose(nan)).startswith("camera_pose.pose.position: got [nan")
    unknown = refused(probe, say, "camera_pose", pose(frame_id="gripper"))
    assert unknown.startswith("camera_pose.header.frame_id: got 'gripper'; no transform names 'gripper'")
    not_finite = refused(probe, say, "cmd_vel", twist((nan,) * 6))
    assert not_finite.startswith("cmd_vel.twist.linear.x: got nan; give a finite number")
    assert refused(probe, say, "action", RobotAction(values=[1.0])).startswith("action: this model is driven by camera")
    assert refused(probe, say, "joy", Joy(axes=[1.0])).startswith("joy.axes: got 1 axes; input.joy.axes needs axis")
    assert refused(probe, say, "keys", String(data="q")).startswith("keys: got 'q'; name the keys that are down")
    assert "loop" in refused(probe, say, "/tf", transform("camera_link", "camera_link", 0.0))
    assert refused(probe, say, "path", PathMessage()).startswith("path.poses: got none")
    say("cmd_vel", *[twist()] * FIRST)
    assert_allclose(body(frames(probe, FIRST)[0]), STEP, atol=1e-12)


def test_time_that_goes_back_is_refused(probe: Probe, say: Any) -> None:
    say("camera_pose", pose(1.0, stamp_s=1000))
    message = refused(probe, say, "camera_pose", pose(2.0, stamp_s=999))
    assert message.startswith("camera_pose.header.stamp: got 999.000 s; it must lie after the one before, 1000.000 s")
    refused(probe, say, "camera_pose", pose(3.0, stamp_s=1000))
    say("camera_pose", *[pose(4.0, stamp_s=second) for second in range(1001, 1005)])
    xs = [info.camera_pose.position.x for info in frames(probe, FIRST)]
    assert (xs[0], xs[1:]) == (1.0, [4.0] * 4)
