"""Bags of every kind become the same clips, and what does not fit is said."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from rosbags.rosbag1 import Writer as Ros1Writer
from rosbags.rosbag2 import StoragePlugin
from rosbags.rosbag2 import Writer as Ros2Writer
from rosbags.typesys import Stores, get_typestore

from lingbot_ros.cli.main import BAD_INPUT, main
from lingbot_ros.datasets.bag.from_bag import BagTopics, survey, write_missing
from lingbot_ros.datasets.bag.open_bag import Bag
from lingbot_ros.datasets.bag.resample import Timing
from lingbot_ros.datasets.layout import episode_folder
from lingbot_ros.datasets.plan import PlanOptions
from lingbot_ros.datasets.reader import ClipSet
from lingbot_ros.datasets.writer import ClipSetWriter
from lingbot_ros.errors import InputError
from lingbot_ros.recording.writer import Topic
from test.support.bags import (
    MS,
    START_MS,
    TYPES,
    Said,
    joint_state,
    png_image,
    raw_image,
    robot_action,
    twist,
    write_bag,
)

CAMERA = Topic("/camera", "sensor_msgs/msg/Image")
PNG = Topic("/camera", "sensor_msgs/msg/CompressedImage")
ACTION = Topic("/action", "lingbot_msgs/msg/RobotAction")
TOPICS = BagTopics("/camera", "/action")
TIMING = Timing(rate=10, image_gap=0.15)
OPTIONS = PlanOptions(size=(8, 12), longest=10, shortest=4)

IMAGES = np.random.default_rng(0).integers(0, 256, (31, 8, 12, 3), np.uint8)
ACTIONS = np.random.default_rng(1).normal(size=(31, 2))
"""Three seconds at 10 Hz: three episodes of ten steps."""


def recording(picture: Callable[..., Any] = raw_image, camera: Topic = CAMERA) -> list[Said]:
    said = []
    for k, (rgb, values) in enumerate(zip(IMAGES, ACTIONS, strict=True)):
        said += [Said(camera, 100 * k, picture(rgb, 100 * k)), Said(ACTION, 100 * k, robot_action(values, 100 * k))]
    return said


def convert(bag: Path, out: Path, topics: BagTopics = TOPICS, timing: Timing = TIMING, options: PlanOptions = OPTIONS):  # type: ignore[no-untyped-def]
    with Bag(bag) as opened:
        clips = survey(opened, topics, timing, options)
        writer = ClipSetWriter(out, clips.plan)
        list(write_missing(opened, clips, topics, writer))
        writer.finish()
    return ClipSet(out), clips.story


def joined(clips: ClipSet) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The episodes end to end; neighbours share an image."""
    frames = [clips.frames(0)[:1], *(clips.frames(episode)[1:] for episode in range(len(clips)))]
    return np.concatenate(frames), np.concatenate(clips.actions)


def as_sqlite(folder: Path, said: list[Said]) -> Path:
    with Ros2Writer(folder, version=9, storage_plugin=StoragePlugin.SQLITE3) as writer:
        connections = {t: writer.add_connection(t.name, t.kind, typestore=TYPES) for t in {one.topic for one in said}}
        for one in said:
            writer.write(connections[one.topic], round((START_MS + one.ms) * MS), one.data)
    return folder


def as_single_file(folder: Path, said: list[Said]) -> Path:
    return next(write_bag(folder, said).glob("*.mcap"))


def as_ros1(folder: Path, said: list[Said]) -> Path:
    store = get_typestore(Stores.ROS1_NOETIC)
    path = folder.with_suffix(".bag")
    with Ros1Writer(path) as writer:
        kinds = {"/camera": "sensor_msgs/msg/Image", "/action": "std_msgs/msg/Float64MultiArray"}
        connections = {name: writer.add_connection(name, kind, typestore=store) for name, kind in kinds.items()}
        for number, one in enumerate(said):
            message = one.message
            if one.topic.name == "/action":
                layout = store.types["std_msgs/msg/MultiArrayLayout"](dim=[], data_offset=0)
                message = store.types["std_msgs/msg/Float64MultiArray"](layout=layout, data=message.values)
            else:
                stamp = store.types["builtin_interfaces/msg/Time"](
                    sec=message.header.stamp.sec, nanosec=message.header.stamp.nanosec
                )
                old = store.types["std_msgs/msg/Header"](seq=number, stamp=stamp, frame_id="")
                fields = {name: getattr(message, name) for name in message.__dataclass_fields__ if name[0] != "_"}
                message = store.types["sensor_msgs/msg/Image"](**{**fields, "header": old})
            data = store.serialize_ros1(message, kinds[one.topic.name])
            writer.write(connections[one.topic.name], round((START_MS + one.ms) * MS), data)
    return path


@pytest.mark.parametrize("store", [write_bag, as_sqlite, as_single_file, as_ros1], ids=lambda store: store.__name__)
def test_every_kind_of_bag(store: Callable[[Path, list[Said]], Path], tmp_path: Path) -> None:
    clips, story = convert(store(tmp_path / "bag", recording()), tmp_path / "set")
    assert clips.plan.steps == (10, 10, 10) and clips.plan.fps == 10
    frames, actions = joined(clips)
    np.testing.assert_array_equal(frames, IMAGES)
    np.testing.assert_array_equal(actions, ACTIONS[:30].astype(np.float32))
    assert "31 images, 10.0 per second" in story[0] and "30 steps" in story[1]


@pytest.mark.parametrize(
    ("image", "camera"),
    [(png_image, PNG), (lambda rgb, ms: raw_image(rgb, ms, "bgr8"), CAMERA)],
    ids=["compressed", "bgr8"],
)
def test_every_kind_of_image(image: Callable[..., Any], camera: Topic, tmp_path: Path) -> None:
    clips, _ = convert(write_bag(tmp_path / "bag", recording(image, camera)), tmp_path / "set")
    np.testing.assert_array_equal(joined(clips)[0], IMAGES)


def test_images_are_brought_to_size_as_sessions_do(tmp_path: Path) -> None:
    options = replace(OPTIONS, size=(4, 6))
    clips, _ = convert(write_bag(tmp_path / "bag", recording()), tmp_path / "set", options=options)
    quarter = IMAGES[5].reshape(4, 2, 6, 2, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(clips.frames(0)[5], quarter, atol=1)


def only_actions(topic: Topic, messages: list[Any], spare: int = 0) -> list[Said]:
    said = [one for one in recording() if one.topic == CAMERA]
    return said + [Said(topic, 100 * k, message, spare) for k, message in enumerate(messages)]


def test_velocities_go_by_the_time_of_receipt(tmp_path: Path) -> None:
    values = np.random.default_rng(2).normal(size=(31, 6))
    said = only_actions(Topic("/action", "geometry_msgs/msg/Twist"), [twist(row) for row in values])
    options = replace(OPTIONS, components=("angular.z", "linear.x"))
    clips, story = convert(write_bag(tmp_path / "bag", said), tmp_path / "set", options=options)
    assert clips.plan.action_names == ("angular.z", "linear.x") and clips.plan.source["stamps"] == "received"
    np.testing.assert_array_equal(joined(clips)[1], values[:30, [5, 0]].astype(np.float32))
    assert "by the stamps of receipt" in story[0]


@pytest.mark.parametrize("spare", [0, 4])
def test_joints_are_told_apart_by_name(spare: int, tmp_path: Path) -> None:
    topic = Topic("/action", "sensor_msgs/msg/JointState")
    orders = [["lift", "grip"], ["grip", "lift"]]
    values = [{"lift": float(k), "grip": -float(k)} for k in range(31)]
    messages = [joint_state(orders[k % 2], [values[k][name] for name in orders[k % 2]], 100.0 * k) for k in range(31)]
    clips, _ = convert(write_bag(tmp_path / "bag", only_actions(topic, messages, spare)), tmp_path / "set")
    assert clips.plan.action_names == ("lift", "grip")
    np.testing.assert_array_equal(joined(clips)[1], [[k, -k] for k in range(30)])
    with pytest.raises(InputError, match="0 values for 2 names; .* --joint-field"):
        convert(tmp_path / "bag", tmp_path / "other", topics=replace(TOPICS, joint_field="effort"))


@pytest.mark.parametrize("stamps", ["auto", "header", "received"])
def test_an_empty_control_is_no_action_and_an_episode_begins_there(stamps: str, tmp_path: Path) -> None:
    """As the node records: each session begins with an image that no control led to, here without any pause."""
    said = []
    for k, (rgb, values) in enumerate(zip(IMAGES, ACTIONS, strict=True)):
        led_to = [] if k in (0, 13) else values  # the control of a frame is the one that led to it
        said += [
            Said(CAMERA, 100 * k, raw_image(rgb, 100 * k)),
            Said(ACTION, 100 * k + 2, robot_action(led_to, 100 * k)),
        ]
    timing = replace(TIMING, action_offset=0.1 if stamps != "received" else 0.102)
    options = replace(OPTIONS, longest=100)
    topics = replace(TOPICS, stamps=stamps)
    clips, story = convert(write_bag(tmp_path / "bag", said), tmp_path / "set", topics, timing, options)
    assert [len(actions) for actions in clips.actions] == [12, 17]
    for episode, first in enumerate((0, 13)):
        steps = len(clips.actions[episode])
        np.testing.assert_array_equal(clips.frames(episode), IMAGES[first : first + steps + 1])
        np.testing.assert_array_equal(clips.actions[episode], ACTIONS[first + 1 : first + steps + 1].astype(np.float32))
    assert any("2 without values" in line for line in story)


def test_a_topic_of_empty_controls_alone_is_refused(tmp_path: Path) -> None:
    said = [replace(one, message=robot_action([], one.ms)) if one.topic == ACTION else one for one in recording()]
    with pytest.raises(InputError, match="/action: got 31 messages without values"):
        convert(write_bag(tmp_path / "bag", said), tmp_path / "set")


BAD_IMAGE = raw_image(IMAGES[3], 300, "rgb8")
BAD_IMAGE.encoding = "32FC1"


def late(values: list[float], spare: int = 0) -> list[Said]:
    """The recording and one more action."""
    return [*recording(), Said(ACTION, 4000, robot_action(values, 4000), spare)]


UNSTAMPED = [*recording(), Said(ACTION, 5, robot_action([1, 2], None))]
LONG_AFTER = [*recording()[::2], Said(ACTION, 10, robot_action([1, 2], 99000))]
DEPTH = [*recording()[:6], Said(CAMERA, 300, BAD_IMAGE), *recording()[7:]]


@pytest.mark.parametrize(
    ("said", "changes", "message"),
    [
        (recording(), {"images": "/cam"}, r"--images: got /cam; the bag has /action, /camera; .* /camera"),
        (recording(), {"actions": "/camera"}, "--actions: got /camera, a sensor_msgs/msg/Image; give"),
        (recording(), {"images": "/action"}, "--images: got /action, a lingbot_msgs/msg/RobotAction"),
        (recording(), {"rate": 30.0}, "--rate: got 30.0; images come at 10.00 per second"),
        (recording(), {"image_gap": 0.01}, "no part of 4 steps is without a gap"),
        (recording()[:2], {}, "1 images; give a topic with a recording"),
        (LONG_AFTER, {}, "do not overlap in time"),
        (late([1]), {}, r"/action, message 31: .* \['a0'\]"),
        (late([1, np.inf]), {}, "must be finite"),
        (recording(), {"names": ("x",)}, "names: got x; give 2 different names"),
        (recording(), {"stamps": "wall"}, "--stamps: got wall; use one of auto"),
        (UNSTAMPED, {"stamps": "header"}, "--stamps: got header; /action has messages without a stamp"),
        (DEPTH, {}, "/camera, message 3.encoding: got '32FC1'"),
        (late([1, 2], spare=40), {}, "/action, message 31: got .* it is damaged"),
    ],
    ids=[
        *("no topic", "wrong type", "action as image", "rate", "all gaps", "one image", "no overlap"),
        *("components", "not finite", "names", "unknown stamps", "no stamps", "encoding", "damaged"),
    ],
)
def test_what_does_not_fit_is_said(said: list[Said], changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    bag = write_bag(tmp_path / "bag", said)
    timing = {name: value for name, value in changes.items() if name in ("rate", "image_gap")}
    topics = {name: value for name, value in changes.items() if name not in timing}
    with pytest.raises(InputError, match=message):
        convert(bag, tmp_path / "set", replace(TOPICS, **topics), replace(TIMING, **timing))


def test_what_is_no_bag_is_said(tmp_path: Path) -> None:
    (tmp_path / "x.mcap").write_bytes(b"\x89MCAP0\r\nno")
    for path in (tmp_path, tmp_path / "absent", tmp_path / "x.mcap"):
        with pytest.raises(InputError, match="bag: got"):
            Bag(path)


def test_the_command_makes_a_set_and_takes_it_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_bag(tmp_path / "bag", recording())
    common = ["dataset", "from-bag", "bag", "--images", "/camera", "--actions", "/action", "--out", "set"]
    own = ["--size", "8x12", "--longest", "10", "--shortest", "4", "--names", "x,y", "--low=-9,-9", "--high", "9,9"]
    assert main([*common, *own]) == 0
    told = capsys.readouterr().out
    assert "3 episodes, 1 of them held out, 33 frames of 8x12" in told and "x: -9 to 9" in told
    before = {path: path.read_bytes() for path in Path("set").rglob("*.npy")}
    shutil.rmtree(episode_folder(Path("set"), 1))
    assert main([*common, *own]) == 0
    assert {path: path.read_bytes() for path in Path("set").rglob("*.npy")} == before
    assert ClipSet("set").high == (9.0, 9.0)
    assert main([*common, *own, "--longest", "15"]) == BAD_INPUT
    assert "was created with" in capsys.readouterr().err
