"""Bags as robots write them, by the project's own writer: messages of standard types at chosen times. Needs no ROS."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mcap.reader import make_reader
from mcap.writer import CompressionType
from mcap.writer import Writer as McapWriter
from numpy.typing import NDArray

from lingbot_ros.recording.writer import BagWriter, Topic, message_types

DEFINITION = Path(__file__).parents[2] / "lingbot_msgs" / "msg" / "RobotAction.msg"
TYPES = message_types({"lingbot_msgs/msg/RobotAction": DEFINITION.read_text()})
MS = 1_000_000
START_MS = 1_700_000_000_000


@dataclass(frozen=True)
class Said:
    """A message on a topic, received at `ms` after the start; `spare` bytes follow it, as ROS 2 may leave them."""

    topic: Topic
    ms: float
    message: Any
    spare: int = 0

    @property
    def data(self) -> bytes:
        return bytes(TYPES.serialize_cdr(self.message, self.topic.kind)) + bytes(self.spare)


def make(kind: str, **fields: Any) -> Any:
    return TYPES.types[kind](**fields)


def header(ms: float | None) -> Any:
    """A header stamped `ms` after the start; None: not stamped."""
    total = 0 if ms is None else round((START_MS + ms) * MS)
    time = make("builtin_interfaces/msg/Time", sec=total // 10**9, nanosec=total % 10**9)
    return make("std_msgs/msg/Header", stamp=time, frame_id="")


def raw_image(rgb: NDArray[np.uint8], ms: float | None, encoding: str = "rgb8") -> Any:
    height, width, channels = rgb.shape
    pixels = rgb if encoding == "rgb8" else rgb[:, :, ::-1]
    return make(
        "sensor_msgs/msg/Image", header=header(ms), height=height, width=width, encoding=encoding, is_bigendian=0,
        step=channels * width, data=np.ascontiguousarray(pixels).ravel(),
    )  # fmt: skip


def png_image(rgb: NDArray[np.uint8], ms: float | None) -> Any:
    _, data = cv2.imencode(".png", rgb[:, :, ::-1])
    return make("sensor_msgs/msg/CompressedImage", header=header(ms), format="png", data=data.ravel())


def robot_action(values: Iterable[float], ms: float | None) -> Any:
    array = np.array(list(values), np.float64)
    return make("lingbot_msgs/msg/RobotAction", header=header(ms), id=0, session_id="", values=array)


def twist(values: Iterable[float]) -> Any:
    lx, ly, lz, ax, ay, az = values
    linear, angular = (make("geometry_msgs/msg/Vector3", x=x, y=y, z=z) for x, y, z in ((lx, ly, lz), (ax, ay, az)))
    return make("geometry_msgs/msg/Twist", linear=linear, angular=angular)


def joint_state(names: list[str], position: Iterable[float], ms: float | None) -> Any:
    empty = np.array([], np.float64)
    return make(
        "sensor_msgs/msg/JointState", header=header(ms), name=names, position=np.array(list(position), np.float64),
        velocity=empty, effort=empty,
    )  # fmt: skip


def unchanged(data: bytes) -> bytes:
    return data


def rewritten(
    bag: Path,
    to: Path,
    definition: Callable[[bytes], bytes] = unchanged,
    message: Callable[[bytes], bytes] = unchanged,
) -> Path:
    """An .mcap file with the messages of another in one chunk, not compressed and without checksums.

    definition, message: what becomes of each.
    """
    with bag.open("rb") as given, to.open("wb") as stream:
        writer = McapWriter(stream, compression=CompressionType.NONE, enable_crcs=False)
        writer.start("ros2")
        channels: dict[str, int] = {}
        for schema, channel, found in make_reader(given).iter_messages():
            assert schema is not None
            if channel.topic not in channels:
                known = writer.register_schema(schema.name, schema.encoding, definition(schema.data))
                channels[channel.topic] = writer.register_channel(channel.topic, "cdr", known)
            writer.add_message(channels[channel.topic], found.log_time, message(found.data), found.publish_time)
        writer.finish()
    return to


def write_bag(folder: Path, said: Iterable[Said]) -> Path:
    """An MCAP bag in rosbag2's layout."""
    bag = BagWriter(folder, TYPES)
    for one in said:
        bag.write(one.topic, round((START_MS + one.ms) * MS), one.data)
    bag.close()
    return folder
