"""Bags whose bytes or definitions of messages are damaged: one sentence that names the file, never a traceback."""

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lingbot_ros.datasets.bag.from_bag import BagTopics, survey
from lingbot_ros.datasets.bag.open_bag import Bag
from lingbot_ros.datasets.bag.resample import Timing
from lingbot_ros.datasets.plan import PlanOptions
from lingbot_ros.errors import InputError
from lingbot_ros.recording.bag_file import BagFile
from lingbot_ros.recording.reader import BagReader
from lingbot_ros.recording.writer import BagWriter, Topic, message_types
from test.support.bags import MS, START_MS, header, raw_image, rewritten, robot_action

MESSAGES = Path(__file__).parents[2] / "lingbot_msgs" / "msg"
TYPES = message_types({f"lingbot_msgs/msg/{name}": (MESSAGES / f"{name}.msg").read_text() for name in
                       ("FrameInfo", "RobotAction")})  # fmt: skip
IMAGE, ACTION = "sensor_msgs/msg/Image", "lingbot_msgs/msg/RobotAction"
TOPICS = BagTopics("/image_raw", "/control")


def filled(type_name: str, **fields: object) -> object:
    """A message that is zero but for `fields`."""
    values = {name: fields.get(name, zero(*desc)) for name, desc in TYPES.fielddefs[type_name][1]}
    return TYPES.types[type_name](**values)


def zero(node: int, desc: object) -> object:
    """Of one field, as rosbags describes it: a base type, a message, an array or a sequence."""
    if node == 1:
        name = desc[0]  # type: ignore[index]
        return "" if name == "string" else False if name == "bool" else 0
    if node == 2:
        return header(0) if desc == "std_msgs/msg/Header" else filled(str(desc))
    return np.zeros(desc[1], np.float64)  # type: ignore[index]


def recording(folder: Path) -> Path:
    """Two takes of four frames as the node records them."""
    bag = BagWriter(folder, TYPES, {"publish.jpeg_quality": "high", "model.threads": "3"})
    for n in range(8):
        ms = 100.0 * n + (n >= 4) * 10_000
        parts = {
            Topic("/image_raw", IMAGE): raw_image(np.full((4, 4, 3), n, np.uint8), ms),
            Topic("/camera_info", "sensor_msgs/msg/CameraInfo"): filled(
                "sensor_msgs/msg/CameraInfo", header=header(ms)
            ),
            Topic("/control", ACTION): robot_action([n, -n], ms),
            Topic("/frame_info", "lingbot_msgs/msg/FrameInfo"): filled(
                "lingbot_msgs/msg/FrameInfo", header=header(ms), kind=2, frame_index=n
            ),
        }
        for topic, message in parts.items():
            bag.write(topic, round((START_MS + ms) * MS), bytes(TYPES.serialize_cdr(message, topic.kind)))
    bag.close()
    return next(folder.glob("*.mcap"))


def as_data(path: Path) -> None:
    with Bag(path) as bag:
        survey(bag, TOPICS, Timing(rate=10, image_gap=0.15), PlanOptions(size=(2, 2), longest=8, shortest=1))


def as_replay(path: Path) -> None:
    with BagReader(path) as bag:
        assert len(list(bag.frames())) == 8


READERS = (as_data, as_replay)


@pytest.mark.parametrize("read", READERS)
def test_the_recording_is_whole(read: Callable[[Path], None], tmp_path: Path) -> None:
    read(rewritten(recording(tmp_path / "bag"), tmp_path / "copy.mcap"))


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("length", [2**64 - 1, 2**63 - 1, 2**40, 0])
def test_a_record_of_an_impossible_length(read: Callable[[Path], None], length: int, tmp_path: Path) -> None:
    path = rewritten(recording(tmp_path / "bag"), tmp_path / "copy.mcap")
    data = bytearray(path.read_bytes())
    # length, channel and sequence stand before the time of receipt
    record = data.index(struct.pack("<Q", round((START_MS + 200) * MS))) - 4 - 2 - 8
    data[record : record + 8] = struct.pack("<Q", length)
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"copy\.mcap.*mcap recover|^/image_raw, message 8: "):
        read(path)


def test_messages_that_the_index_counts_must_be_there(tmp_path: Path) -> None:
    """The library takes the rest of a chunk for one long message."""
    path = rewritten(recording(tmp_path / "bag"), tmp_path / "copy.mcap")
    data = bytearray(path.read_bytes())
    record = data.index(struct.pack("<Q", round((START_MS + 200) * MS))) - 4 - 2 - 8
    data[record : record + 8] = struct.pack("<Q", 2**40)
    path.write_bytes(data)
    with BagFile(path) as bag, pytest.raises(InputError, match=r"copy\.mcap.*9 of 32 messages"):
        list(bag.messages(bag.channels))


@pytest.mark.parametrize("read", READERS)
def test_a_definition_that_says_nothing_is_the_standard_one(read: Callable[[Path], None], tmp_path: Path) -> None:
    read(
        rewritten(recording(tmp_path / "bag"), tmp_path / "copy.mcap", lambda text: text.replace(b"uint8[]", b"uint8["))
    )


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    ("good", "bad"),
    [
        (b"builtin_interfaces/Time stamp", b"builtin_interfabes/Time stamp"),
        (b"uint32 height", b"uint22 height"),
        (b"uint32 height", b"uint32 heigth"),
        (b"uint32 height", b"uint16 height"),
        (b"uint32 height", b"uint32 class"),
        (b"uint8[] data", b"float64[] data"),
        (b"std_msgs/Header header", b"std_msgs/Header hander"),
        (b"float64[] values", b"float64[] valves"),
        (b"float64[] values", b"string[] values"),
        (b"float64[] values", b"float64 values"),
    ],
    ids=lambda text: text.decode(),
)
def test_a_damaged_definition(read: Callable[[Path], None], good: bytes, bad: bytes, tmp_path: Path) -> None:
    path = rewritten(recording(tmp_path / "bag"), tmp_path / "copy.mcap", lambda text: text.replace(good, bad))
    with pytest.raises(InputError, match=r"copy\.mcap|^/control"):
        read(path)


def test_a_parameter_that_cannot_be_one(tmp_path: Path) -> None:
    recording(tmp_path / "bag")
    with BagReader(tmp_path / "bag") as bag:
        assert bag.parameter("model.threads", 1, int) == 3
        assert bag.parameter("model.verbose", 1, int) == 1
        with pytest.raises(InputError, match=r"publish\.jpeg_quality of .*bag': got high; correct"):
            bag.parameter("publish.jpeg_quality", 80, int)
