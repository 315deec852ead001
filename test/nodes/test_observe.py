"""Real images over DDS: the topic and the service, both kinds of model, bags and their replay, and what is refused."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from builtin_interfaces.msg import Time
from geometry_msgs.msg import PoseStamped
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CompressedImage, Image

from lingbot_msgs.msg import ErrorCode, FrameInfo, RobotAction
from lingbot_msgs.srv import EndSession, Observe, Record
from lingbot_ros.bridge.stamps import to_time
from lingbot_ros.cli.main import main
from lingbot_ros.control.keys import parse_key_script, script_poses
from lingbot_ros.world import World
from test.support.imagination import NodeUnderTest, Probe, image_message, picture, pixels, running_node
from test.support.poses import pose_messages
from test.support.tiny_camera import HEIGHT, WIDTH_PX, write_tiny_camera_model

ACTIONS = np.random.default_rng(11).uniform(0, 512, (12, 2))
REAL = np.random.default_rng(12).integers(0, 256, (13, 32, 32, 3), dtype=np.uint8)
PATH = script_poses(parse_key_script("w-8,wl-24,i-8"))
SIZE = (HEIGHT, WIDTH_PX, 3)
SCENES = np.random.default_rng(13).integers(0, 256, (13, *SIZE), dtype=np.uint8)
START_S = 50
I, O = FrameInfo.KIND_IMAGINED, FrameInfo.KIND_OBSERVED  # noqa: E741 - they make rows of frames readable


def at(frame: float, fps: float = 10.0) -> Time:
    return to_time(START_S * 10**9 + round(frame * 1e9 / fps))


def stamped(message: Any, stamp: Time) -> Any:
    message.header.stamp = stamp
    return message


ACTION_TIMEOUT_S = 0.5
"""The node's default of input.action_timeout."""


class Robot:
    """What a robot sends: frame k shows REAL[k], and ACTIONS[k - 1], given one period before, led to it."""

    def __init__(self, probe: Probe) -> None:
        self._probe = probe
        self.camera = self._publisher(Image, "observed_image")
        self.compressed = self._publisher(CompressedImage, "observed_image/compressed")
        self.poses = self._publisher(PoseStamped, "camera_pose")
        probe.wait(lambda: all(p.get_subscription_count() == 1 for p in (self.camera, self.compressed, self.poses)))

    def _publisher(self, kind: Any, topic: str) -> Publisher:
        return self._probe.node.create_publisher(kind, topic, QoSProfile(depth=100))

    def act(self, frame: int) -> None:
        self._probe.actions.publish(stamped(RobotAction(id=frame, values=ACTIONS[frame - 1]), at(frame - 1)))

    def show(self, frame: int, rgb: np.ndarray | None = None) -> None:
        self.camera.publish(stamped(image_message(REAL[frame] if rgb is None else rgb), at(frame)))

    def show_compressed(self, frame: int) -> None:
        _, png = cv2.imencode(".png", REAL[frame][:, :, ::-1])
        self.compressed.publish(stamped(CompressedImage(format="png", data=png.tobytes()), at(frame)))


def kinds(probe: Probe, session_id: str) -> list[int]:
    return [info.kind for info in probe.imagined(session_id)]


def record(probe: Probe, on: bool, path: str = "", compressed: bool = False) -> None:
    request = Record.Request(record=on, path=path, compressed=compressed)
    assert probe.call(Record, "record", request).error_msg == ""


@pytest.fixture(scope="module")
def following(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[NodeUnderTest, Probe, Robot]]:
    """A node in lockstep of which one frame of three is real, with a robot; its bags lie beside its log."""
    folder = tmp_path_factory.mktemp("following")
    options = {"observe__every": 3, "recording__folder": folder / "bags"}
    with running_node(folder, model__name=model, mode="lockstep", **options) as (node, probe):
        probe.bring_up()
        yield node, probe, Robot(probe)


@pytest.fixture
def robot(following: tuple[NodeUnderTest, Probe, Robot]) -> Robot:
    return following[2]


@pytest.fixture
def client(following: tuple[NodeUnderTest, Probe, Robot]) -> Probe:
    _, probe, _ = following
    probe.images.clear()
    probe.infos.clear()
    return probe


def begin(probe: Probe, session_id: str) -> None:
    answer = probe.start(session_id=session_id, image=image_message(REAL[0]), start_stamp=at(0), seed=5)
    assert answer.error_msg == ""


@pytest.mark.parametrize("compressed", [False, True], ids=["raw", "jpeg"])
def test_a_followed_camera_in_the_frames_the_bag_and_its_replay(
    client: Probe, robot: Robot, following: Any, model: Path, compressed: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "jpeg" if compressed else "raw"
    # The stamps begin anew, which the node takes from a source that has been silent for so long.
    time.sleep(ACTION_TIMEOUT_S)
    record(client, True, name, compressed)
    begin(client, name)
    for frame in range(1, 10):
        robot.act(frame)
        (robot.show_compressed if compressed else robot.show)(frame)
    client.wait(lambda: len(client.imagined(name)) == 9 and len(client.images) == 10)
    record(client, False)
    infos = client.imagined(name)
    assert [info.kind for info in infos] == [I, I, O] * 3
    assert [info.frames_since_real for info in infos] == [1, 2, 0] * 3
    assert [info.control_id for info in infos] == list(range(1, 10))
    assert [info.observed_stamp for info in infos] == [
        Time(),
        Time(),
        at(3),
        Time(),
        Time(),
        at(6),
        Time(),
        Time(),
        at(9),
    ]
    session = World.load(model, threads=1).start(REAL[0], seed=5)
    for k, message in enumerate(client.images[1:]):
        if k % 3 == 2:
            session.observe(REAL[k + 1 : k + 2], ACTIONS[k : k + 1])
            np.testing.assert_array_equal(pixels(message), REAL[k + 1])
        else:
            np.testing.assert_array_equal(pixels(message), session.step(ACTIONS[k : k + 1])[0])
    node, _, _ = following
    code = main(["replay", str(node.log.parent / "bags" / name)])
    printed = capsys.readouterr().out
    assert code == 0, printed
    verdict = "all identical after JPEG encoding" if compressed else "all bit-identical"
    assert f"{name}: 6 frames imagined again, 3 real frames observed again, {verdict}" in printed


def test_what_cannot_be_observed_is_refused_counted_and_costs_nothing(client: Probe, robot: Robot) -> None:
    begin(client, "refused")
    client.wait(lambda: client.statuses[-1].active_session == "refused")
    rejected, errors = client.statuses[-1].images_rejected, []

    def refused_as(text: str) -> None:
        errors.append(text)
        client.wait(lambda: client.statuses[-1].images_rejected == rejected + len(errors))
        client.wait(lambda: text in client.statuses[-1].last_error_msg)

    robot.camera.publish(stamped(Image(height=2, width=2, encoding="nv24", step=8, data=bytes(16)), at(1)))
    refused_as("observed_image.encoding: got 'nv24'")
    robot.compressed.publish(stamped(CompressedImage(format="jpeg", data=b"no image"), at(1)))
    refused_as("observed_image.data: got 8 bytes of 'jpeg'")
    robot.show(1, rgb=picture(64)[:32])
    refused_as("observed_image.height, observed_image.width: got 32 x 64")
    robot.show(2)
    client.wait(lambda: client.statuses[-1].images_waiting == 1)
    robot.act(3)
    refused_as("no control led to it")
    robot.show(5)
    robot.show(4)
    refused_as("observed_image.header.stamp: got 50.400 s; it must lie after the one before, 50.500 s")
    for frame in range(4, 7):
        robot.act(frame)
    client.wait(lambda: len(client.imagined("refused")) == 4)
    assert kinds(client, "refused") == [I, I, O, I]


def test_the_service_shows_whole_chunks(client: Probe, model: Path) -> None:
    begin(client, "shown")
    images = [stamped(image_message(image), at(k + 1)) for k, image in enumerate(REAL[1:5])]
    actions = [RobotAction(id=k + 1, values=row) for k, row in enumerate(ACTIONS[:4])]
    answer = client.call(Observe, "observe", Observe.Request(session_id="shown", images=images, actions=actions))
    assert (answer.error_code, answer.error_msg, answer.session.frame_index) == (ErrorCode.NONE, "", 4)
    assert [(info.kind, info.frames_since_real, info.control_id) for info in answer.frames] == [
        (O, 0, k) for k in range(1, 5)
    ]
    assert [info.observed_stamp for info in answer.frames] == [at(k) for k in range(1, 5)]
    client.wait(lambda: len(client.images) == 5)
    for message, image in zip(client.images[1:], REAL[1:5], strict=True):
        np.testing.assert_array_equal(pixels(message), image)


@pytest.mark.parametrize(
    ("change", "code", "text"),
    [
        ({"images": []}, ErrorCode.INVALID_INPUT, "images: got 0 images and 1 controls"),
        ({"actions": []}, ErrorCode.INVALID_INPUT, "actions, camera_poses: got none"),
        ({"actions": [RobotAction(values=[np.nan, 1.0])]}, ErrorCode.INVALID_INPUT, "action[0].x: got nan"),
        ({"images": [image_message(picture(64)[:32])]}, ErrorCode.INVALID_INPUT, "images[0].height, images[0].width"),
        (
            {"images": [image_message(picture(), "nv24")]},
            ErrorCode.INVALID_INPUT,
            "images[0].encoding: got 'nv24'",
        ),
        ({"session_id": "nobody"}, ErrorCode.UNKNOWN_SESSION, "session_id: got 'nobody'"),
        ({"actions": [], "camera_poses": [PoseStamped()]}, ErrorCode.UNSUPPORTED, "camera_poses"),
    ],
)
def test_a_request_that_cannot_be_observed(client: Probe, change: dict[str, Any], code: int, text: str) -> None:
    begin(client, "asked")
    fields = {"session_id": "asked", "images": [image_message(REAL[1])], "actions": [RobotAction(values=[1.0, 2.0])]}
    answer = client.call(Observe, "observe", Observe.Request(**{**fields, **change}))
    assert answer.error_code == code
    assert text in answer.error_msg
    assert kinds(client, "asked") == []


def test_a_camera_starts_a_session_where_none_is_active(client: Probe, robot: Robot) -> None:
    begin(client, "before")
    assert client.call(EndSession, "end_session", EndSession.Request(session_id="before")).error_msg == ""
    client.infos.clear()
    robot.show(7)
    client.wait(lambda: client.infos)
    (first,) = client.infos
    assert (first.kind, first.header.stamp) == (FrameInfo.KIND_SEED, at(7))


def test_real_images_are_refused_unless_the_node_was_told_to_follow(model: Path, tmp_path: Path) -> None:
    with running_node(tmp_path, model__name=model, mode="lockstep") as (node, probe):
        probe.bring_up()
        robot = Robot(probe)
        begin(probe, "alone")
        robot.show(1)
        probe.wait(lambda: probe.statuses[-1].images_rejected == 1)
        assert "observe.every is 0" in node.log_text()
        robot.act(1)
        probe.wait(lambda: probe.imagined("alone"))
        assert kinds(probe, "alone") == [I]


def test_realtime_follows_a_camera_that_goes_on_by_itself(model: Path, tmp_path: Path) -> None:
    """Images come when they come; the world imagines on with the newest action, and takes the newest real image."""
    with running_node(tmp_path, model__name=model, observe__every=4) as (_, probe):
        probe.bring_up()
        robot = Robot(probe)
        begin(probe, "live")
        for frame in range(1, 12):
            robot.act(frame)
            robot.show(frame)
            probe.clear_and_wait(probe.infos, 1)
        probe.infos.clear()
        probe.wait(lambda: any(info.frames_since_real >= 3 for info in probe.imagined("live")))
        status = probe.statuses[-1]
        probe.wait(lambda: probe.statuses[-1].frames_observed >= 1)
        assert status.images_rejected == 0


@pytest.fixture(scope="module")
def camera_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_camera_model(tmp_path_factory.mktemp("models"))


def test_a_camera_model_follows_poses_and_replays(
    camera_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Chunks of 5 frames, then 8, of 16 a second: an image belongs to the pose of its own time."""
    poses = pose_messages(PATH)
    options = {"observe__every": 13, "recording__folder": tmp_path / "bags"}
    with running_node(tmp_path, model__name=camera_model, mode="lockstep", **options) as (_, probe):
        probe.bring_up()
        robot = Robot(probe)
        record(probe, True, "bag")
        image = image_message(SCENES[0])
        assert probe.start(session_id="eye", image=image, start_stamp=at(0), seed=5).error_msg == ""
        for frame, pose in enumerate(poses[:21]):
            robot.poses.publish(stamped(pose, at(frame + 1, fps=16.0)))
        probe.wait(lambda: len(probe.imagined("eye")) == 5)
        for frame in range(6, 14):
            message = stamped(image_message(SCENES[frame - 1]), at(frame, fps=16.0))
            robot.camera.publish(message)
        probe.wait(lambda: len(probe.imagined("eye")) == 21)
        answer = probe.call(Observe, "observe", Observe.Request(images=[image_message(SCENES[1])] * 8,
                                                                camera_poses=poses[21:29]))  # fmt: skip
        assert answer.error_msg == ""
        probe.wait(lambda: len(probe.images) == 30)
        record(probe, False)
        assert kinds(probe, "eye") == [I] * 5 + [O] * 8 + [I] * 8 + [O] * 8
        for info in probe.imagined("eye")[5:13]:
            assert info.has_camera_pose
        np.testing.assert_array_equal(pixels(probe.images[6]), SCENES[5])
    code = main(["replay", str(tmp_path / "bags" / "bag")])
    printed = capsys.readouterr().out
    assert code == 0, printed
    assert "eye: 13 frames imagined again, 16 real frames observed again, all bit-identical" in printed


def test_an_image_without_a_pose_is_refused_by_a_camera_model(camera_model: Path, tmp_path: Path) -> None:
    with running_node(tmp_path, model__name=camera_model, observe__every=1) as (_, probe):
        probe.bring_up()
        robot = Robot(probe)
        probe.start(session_id="blind", image=image_message(SCENES[0]), start_stamp=at(0))
        for frame in range(1, 6):
            robot.camera.publish(stamped(image_message(SCENES[frame]), at(frame, fps=16.0)))
        probe.wait(lambda: probe.statuses[-1].images_rejected >= 1)
        assert "a camera pose stamped with its own time" in probe.statuses[-1].last_error_msg
        assert probe.imagined("blind") == []
