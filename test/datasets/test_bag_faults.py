"""Bags as they really are: reset clocks, damaged messages, odd neighbours, files that were not closed."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from mcap.writer import Writer as McapWriter
from numpy.typing import NDArray
from rosbags.rosbag2 import StoragePlugin
from rosbags.rosbag2 import Writer as Ros2Writer

from lingbot_ros.datasets.bag.from_bag import BagTopics, survey, write_missing
from lingbot_ros.datasets.bag.open_bag import Bag
from lingbot_ros.datasets.bag.resample import Timing
from lingbot_ros.datasets.plan import PlanOptions
from lingbot_ros.datasets.reader import ClipSet
from lingbot_ros.datasets.writer import ClipSetWriter
from lingbot_ros.errors import InputError
from lingbot_ros.recording.reader import BagReader
from lingbot_ros.recording.writer import Topic
from test.support.bags import (
    MS,
    START_MS,
    TYPES,
    Said,
    header,
    joint_state,
    make,
    png_image,
    raw_image,
    robot_action,
    twist,
    write_bag,
)

CAMERA = Topic("/camera", "sensor_msgs/msg/Image")
PNG = Topic("/camera", "sensor_msgs/msg/CompressedImage")
ACTION = Topic("/action", "lingbot_msgs/msg/RobotAction")
TWIST = Topic("/action", "geometry_msgs/msg/Twist")
STAMPED = Topic("/action", "geometry_msgs/msg/TwistStamped")
JOINTS = Topic("/action", "sensor_msgs/msg/JointState")
TOPICS = BagTopics("/camera", "/action")
TIMING = Timing(rate=10, image_gap=0.15)
OPTIONS = PlanOptions(size=(2, 2), longest=8, shortest=1)


def image(n: int) -> NDArray[np.uint8]:
    """Message n shows its number."""
    return np.full((2, 2, 3), n, np.uint8)


def recording(takes: int = 1, frames: int = 20, sim: bool = False) -> list[Said]:
    """Image n and action n belong together. Each take begins with the clock set back to where it began."""
    said = []
    for n in range(takes * frames):
        ms = 100.0 * n
        stamp = 100.0 * (n % frames) - (START_MS if sim else 0)
        said += [Said(CAMERA, ms, raw_image(image(n), stamp)), Said(ACTION, ms + 1, robot_action([n, -n], stamp))]
    return said


def convert(bag: Path, out: Path, **changes: Any) -> tuple[list[list[tuple[int, int]]], str]:
    """(what image and which action each step has, in each episode; what the command says)."""
    options = replace(OPTIONS, components=changes.pop("components", ()))
    topics = replace(TOPICS, **changes)
    with Bag(bag) as opened:
        clips = survey(opened, topics, TIMING, options)
        writer = ClipSetWriter(out, clips.plan)
        list(write_missing(opened, clips, topics, writer))
        writer.finish()
    found = ClipSet(out)
    joined: list[list[tuple[int, int]]] = []
    last = None
    for e in range(len(found)):
        shown = [int(frame[0, 0, 0]) for frame in found.frames(e)]
        pairs = list(zip(shown, [round(float(action[0])) for action in found.actions[e]], strict=False))
        # Long episodes are cut; the parts share an image.
        if shown[0] == last:
            joined[-1] += pairs
        else:
            joined.append(pairs)
        last = shown[-1]
    return joined, "\n".join(clips.story)


def same(first: int, end: int) -> list[tuple[int, int]]:
    return [(n, n) for n in range(first, end)]


@pytest.mark.parametrize("stamps", ["header", "received", "auto"])
@pytest.mark.parametrize("sim", [False, True], ids=["wall clock", "from zero"])
def test_a_clock_that_goes_back_ends_an_episode(stamps: str, sim: bool, tmp_path: Path) -> None:
    timing_offset = 0.001 if stamps == "received" else 0.0
    bag = write_bag(tmp_path / "bag", recording(takes=3, sim=sim))
    with Bag(bag) as opened:
        timing = replace(TIMING, action_offset=timing_offset)
        clips = survey(opened, replace(TOPICS, stamps=stamps), timing, replace(OPTIONS, longest=100))
    ends = [(int(s.images[0]), int(s.images[-1])) for s in clips.segments]
    assert ends == [(0, 19), (20, 39), (40, 59)]
    for segment in clips.segments:
        np.testing.assert_array_equal(clips.actions[segment.actions][:, 0], segment.images[:-1])
    assert "10.0 per second" in clips.story[0] and "set back 2 times" in clips.story[-1]


def test_actions_without_stamps_belong_to_the_take_that_runs(tmp_path: Path) -> None:
    said = [one for one in recording(takes=2) if one.topic == CAMERA]
    said += [Said(TWIST, 100.0 * n - 1, twist([n, 0, 0, 0, 0, 0])) for n in range(40)]
    pairs, _ = convert(write_bag(tmp_path / "bag", sorted(said, key=lambda one: one.ms)), tmp_path / "set")
    # Which take the action of image 20 belongs to is not known: it came just before the image that shows the reset.
    assert pairs == [same(0, 19), same(21, 39)]


def test_the_image_clock_may_go_back_later_than_that_of_the_actions(tmp_path: Path) -> None:
    said = [replace(one, ms=one.ms + 350) if one.topic == CAMERA else one for one in recording(takes=2)]
    pairs, _ = convert(write_bag(tmp_path / "bag", sorted(said, key=lambda one: one.ms)), tmp_path / "set")
    assert pairs == [same(0, 19), same(20, 39)]


def test_a_take_without_actions_does_not_get_those_of_another(tmp_path: Path) -> None:
    said = [one for one in recording(takes=3) if one.topic == CAMERA or not 2000 <= one.ms < 4000]
    pairs, _ = convert(write_bag(tmp_path / "bag", said), tmp_path / "set")
    assert pairs == [same(0, 19), same(40, 59)]


def test_stamps_that_are_no_times_are_refused(tmp_path: Path) -> None:
    said = [replace(one, message=raw_image(image(0), 5)) if one.topic == CAMERA else one for one in recording()]
    with pytest.raises(InputError, match="per second; their stamps are no times: try --stamps received"):
        convert(write_bag(tmp_path / "bag", said), tmp_path / "set", stamps="header")


def test_both_kinds_of_velocity_on_one_topic_are_one_action(tmp_path: Path) -> None:
    said = [one for one in recording() if one.topic == CAMERA]
    for n in range(20):
        velocity = twist([n, 0, 0, 0, 0, 0])
        stamped = make("geometry_msgs/msg/TwistStamped", header=header(100 * n), twist=velocity)
        said.append(Said(STAMPED, 100.0 * n, stamped) if n % 2 else Said(TWIST, 100.0 * n, velocity))
    pairs, _ = convert(write_bag(tmp_path / "bag", sorted(said, key=lambda one: one.ms)), tmp_path / "set")
    assert pairs == [same(0, 19)]


def test_joints_in_parts_keep_their_newest_values(tmp_path: Path) -> None:
    """The gripper speaks 2 ms late, at half the rate, and is silent from 1 s to 3 s: longer than the action gap."""
    said = [one for one in recording(frames=50) if one.topic == CAMERA]
    for n in range(50):
        ms = 100.0 * n
        said.append(Said(JOINTS, ms, joint_state(["a", "b"], [n, -n], ms)))
        if n % 2 == 0 and not 10 < n < 30:
            said.append(Said(JOINTS, ms + 3, joint_state(["gripper"], [n + 100], ms - 2)))
        said.append(Said(JOINTS, ms + 4, joint_state([], [], ms)))
    bag = write_bag(tmp_path / "bag", said)
    pairs, told = convert(bag, tmp_path / "set")
    assert pairs == [same(1, 20), same(31, 49)] and "3 components (a, b, gripper)" in told
    assert "50 that name none of these joints were ignored" in told
    assert convert(bag, tmp_path / "arm", components=("b", "a"))[0] == [[(n, -n) for n in range(49)]]


def without(n: int, topic: Topic, message: Any, frames: int = 120, data: bytes | None = None) -> list[Said]:
    """A recording whose nth message of `topic` is another one."""
    said = recording(frames=frames)
    at = 2 * n + (topic == ACTION)
    said[at] = replace(said[at], message=message)
    if data is not None:
        said[at] = Raw(said[at].topic, said[at].ms, message, data)
    return said


class Raw(Said):
    """Bytes that are no message."""

    def __init__(self, topic: Topic, ms: float, message: Any, data: bytes) -> None:
        super().__init__(topic, ms, message)
        object.__setattr__(self, "spare", data)

    @property
    def data(self) -> bytes:
        return bytes(self.spare)  # type: ignore[call-overload,arg-type]


DEPTH = raw_image(image(9), 5000)
DEPTH.encoding = "32FC1"


@pytest.mark.parametrize(
    ("said", "reason", "first_after"),
    [
        (without(50, CAMERA, DEPTH), "32FC1", 51),
        (without(50, CAMERA, raw_image(image(50), 5000), data=b"\0\1\0\0abc"), "message 50: got 7 bytes; it is", 51),
        (without(50, ACTION, robot_action([np.nan, 1], 5000)), "must be finite", 51),
        (without(50, ACTION, robot_action([1e300, 1], 5000)), "must be finite", 51),
        (without(50, ACTION, robot_action([1], 5000)), "most messages have", 51),
        (without(0, ACTION, robot_action([1], 0)), "most messages have", 1),
        (without(50, ACTION, robot_action([1, 2], 5000), data=b"\0\1\0\0"), "it is damaged", 51),
    ],
    ids=["encoding", "damaged image", "not finite", "too large", "components", "first components", "damaged action"],
)
def test_a_bad_message_is_left_out_and_ends_the_episode(
    said: list[Said], reason: str, first_after: int, tmp_path: Path
) -> None:
    bag = write_bag(tmp_path / "bag", said)
    with Bag(bag) as opened:
        clips = survey(opened, TOPICS, TIMING, replace(OPTIONS, longest=20))
    pairs = [list(zip(s.images[:-1], clips.actions[s.actions][:, 0], strict=True)) for s in clips.segments]
    assert all(int(i) == int(a) for episode in pairs for i, a in episode)
    starts = [int(s.images[0]) for s in clips.segments]
    assert first_after in starts and first_after - 1 not in [n for s in clips.segments for n in s.images[:-1]]
    assert "1 images left out" in "\n".join(clips.story) or "1 actions left out" in "\n".join(clips.story)
    assert reason in "\n".join(clips.story)
    with Bag(bag) as opened, pytest.raises(InputError, match="1 of 120 .* with --bad-share"):
        survey(opened, replace(TOPICS, bad_share=0.001), TIMING, OPTIONS)


@pytest.mark.parametrize("damage", [lambda data: data[:-20], lambda _: b"", lambda data: data[:40] + b"x" + data[41:]])
def test_encoded_images_are_looked_at_before_episodes_are_cut(damage: Callable[[bytes], bytes], tmp_path: Path) -> None:
    said = []
    for n in range(120):
        message = png_image(image(n), 100 * n)
        if n == 50:
            message.data = np.frombuffer(damage(message.data.tobytes()), np.uint8)
        said += [Said(PNG, 100.0 * n, message), Said(ACTION, 100.0 * n + 1, robot_action([n, -n], 100 * n))]
    with Bag(write_bag(tmp_path / "bag", said)) as opened:
        clips = survey(opened, TOPICS, TIMING, replace(OPTIONS, longest=1000))
    assert [(int(s.images[0]), int(s.images[-1])) for s in clips.segments] == [(0, 49), (51, 119)]
    assert "/camera, message 50" in "\n".join(clips.story)


def beside(path: Path, *, message_encoding: str, schema_encoding: str, schema: bytes) -> Path:
    """A bag with one more topic that no reader of ROS messages knows."""
    with path.open("wb") as stream:
        writer = McapWriter(stream)
        writer.start("ros2")
        channels = {}
        odd = writer.register_channel(
            "/odd", message_encoding, writer.register_schema("some.Thing", schema_encoding, schema)
        )
        bare = writer.register_channel("/bare", "json", 0)
        for one in recording():
            if one.topic not in channels:
                definition = TYPES.generate_msgdef(one.topic.kind, ros_version=2)[0].encode()
                known = writer.register_schema(one.topic.kind, "ros2msg", definition)
                channels[one.topic] = writer.register_channel(one.topic.name, "cdr", known)
            ns = round((START_MS + one.ms) * MS)
            writer.add_message(channels[one.topic], ns, one.data, ns)
            for channel in (odd, bare):
                writer.add_message(channel, ns, b'{"a": 1}', ns)
        writer.finish()
    return path


@pytest.mark.parametrize(
    ("message_encoding", "schema_encoding", "schema"),
    [
        ("json", "jsonschema", json.dumps({"type": "object"}).encode()),
        ("protobuf", "protobuf", b"\x0a\xff\xfe\x80\x81"),
        ("cdr", "ros2msg", b"this is % no definition"),
        ("cdr", "ros2msg", b"missing_pkg/Type field"),
        ("cdr", "ros2idl", b"module broken {"),
        ("cdr", "unknown", b""),
    ],
)
def test_topics_that_nobody_asked_for_do_not_matter(
    message_encoding: str, schema_encoding: str, schema: bytes, tmp_path: Path
) -> None:
    path = beside(tmp_path / "x.mcap", message_encoding=message_encoding, schema_encoding=schema_encoding,
                  schema=schema)  # fmt: skip
    assert convert(path, tmp_path / "set")[0] == [same(0, 19)]
    with pytest.raises(InputError, match="--actions: got /odd, a some.Thing"):
        convert(path, tmp_path / "other", actions="/odd")
    with pytest.raises(InputError, match="topics of lingbot_msgs/msg/FrameInfo: none"):
        BagReader(path)


def sqlite_bag(folder: Path) -> Path:
    with Ros2Writer(folder, version=9, storage_plugin=StoragePlugin.SQLITE3) as writer:
        connections = {t: writer.add_connection(t.name, t.kind, typestore=TYPES) for t in (CAMERA, ACTION)}
        for one in recording():
            writer.write(connections[one.topic], round((START_MS + one.ms) * MS), one.data)
    return folder


def change_metadata(folder: Path, **changes: Any) -> Path:
    path = folder / "metadata.yaml"
    content = yaml.safe_load(path.read_text())
    content["rosbag2_bagfile_information"].update(changes)
    path.write_text(yaml.safe_dump(content))
    return folder


def lose_metadata(folder: Path) -> Path:
    (folder / "metadata.yaml").unlink()
    return folder


def break_metadata(folder: Path) -> Path:
    (folder / "metadata.yaml").write_text("rosbag2_bagfile_information: [")
    return folder


def unknown_definition(folder: Path) -> Path:
    """As rosbag2 writes a topic whose .msg file it did not find."""
    with sqlite3.connect(next(folder.glob("*.db3"))) as database:
        database.execute("INSERT INTO topics VALUES (9, '/odd', 'x/msg/Y', 'cdr', '', '')")
        database.execute("INSERT INTO message_definitions VALUES (9, 'x/msg/Y', 'unknown', '', '')")
    return folder


@pytest.mark.parametrize("store", [lambda path: write_bag(path, recording()), sqlite_bag], ids=["mcap", "sqlite"])
@pytest.mark.parametrize(
    "change",
    [
        lambda folder: change_metadata(folder, storage_identifier=""),
        lambda folder: change_metadata(folder, storage_identifier="someones_plugin"),
        lambda folder: change_metadata(folder, relative_file_paths=["renamed.mcap"]),
        lose_metadata,
        break_metadata,
    ],
    ids=["no storage identifier", "another plugin", "renamed", "no metadata", "broken metadata"],
)
def test_what_a_file_is_follows_from_the_file(
    store: Callable[[Path], Path], change: Callable[[Path], Path], tmp_path: Path
) -> None:
    assert convert(change(store(tmp_path / "bag")), tmp_path / "set")[0] == [same(0, 19)]


def test_a_sqlite_topic_without_a_definition_does_not_matter(tmp_path: Path) -> None:
    assert convert(unknown_definition(sqlite_bag(tmp_path / "bag")), tmp_path / "set")[0] == [same(0, 19)]


def cut_short(folder: Path) -> Path:
    path = next(file for file in folder.iterdir() if file.suffix in (".mcap", ".db3"))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


def emptied(folder: Path) -> Path:
    cut_short(folder).write_bytes(b"")
    return folder


def unindexed_ros1(folder: Path) -> Path:
    path = folder / "x.bag"
    fields = b"\x0e\0\0\0chunk_count=\0\0\0\0\x0d\0\0\0conn_count=\0\0\0\0\x12\0\0\0index_pos=" + bytes(8)
    fields += b"\x04\0\0\0op=\x03"
    path.write_bytes(b"#ROSBAG V2.0\n" + len(fields).to_bytes(4, "little") + fields + bytes(400))
    return path


@pytest.mark.parametrize(
    ("make_bad", "message"),
    [
        (lambda folder: folder / "absent", "absent'; there is no such file or folder"),
        (lambda folder: cut_short(write_bag(folder / "bag", recording())), r"run `mcap recover .*\.mcap -o recovered"),
        (lambda folder: cut_short(write_bag(folder / "bag", recording())).parent, "run `mcap recover"),
        (lambda folder: cut_short(sqlite_bag(folder / "bag")), r"sqlite3 .*\.db3 \.recover"),
        (lambda folder: emptied(write_bag(folder / "bag", recording())), "it holds no .mcap|it is empty"),
        (unindexed_ros1, "rosbag reindex"),
        (lambda folder: folder, "it holds no .mcap, .db3 or .bag file"),
        (lambda folder: change_metadata(write_bag(folder / "bag", recording()),
                                        relative_file_paths=["bag.mcap", "bag_1.mcap"]), "without bag_1.mcap"),
    ],
    ids=["absent", "cut mcap", "cut mcap in folder", "cut sqlite", "empty", "ROS 1", "no bag", "part missing"],
)  # fmt: skip
def test_advice_fits_the_fault(make_bad: Callable[[Path], Path], message: str, tmp_path: Path) -> None:
    path = make_bad(tmp_path)
    for opener in (Bag, BagReader):
        with pytest.raises(InputError, match=message) as caught:
            opener(path)
        assert "ros2 bag reindex" not in str(caught.value)


def test_a_bag_in_several_files_is_read_in_order(tmp_path: Path) -> None:
    """Without metadata, by the numbers in the names."""
    folder = tmp_path / "bag"
    folder.mkdir()
    said = recording(frames=22)
    for part in range(11):
        made = write_bag(tmp_path / f"part_{part}", said[4 * part : 4 * part + 4])
        shutil.copy(next(made.glob("*.mcap")), folder / f"x_{part}.mcap")
    assert convert(folder, tmp_path / "set")[0] == [same(0, 21)]
