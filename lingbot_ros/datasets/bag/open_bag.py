"""A bag of any kind that `rosbags` reads, opened without ROS; the message definitions inside it are used."""

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from rosbags.highlevel import AnyReader, AnyReaderError
from rosbags.interfaces import Connection
from rosbags.serde import SerdeError
from rosbags.typesys import Stores, get_typestore

from lingbot_ros.errors import InputError
from lingbot_ros.recording.reader import read_message


class Bag:
    """Context manager. A folder (MCAP or sqlite3), a single .mcap, or a ROS 1 .bag; anything else: InputError.

    Bags that hold no definitions are read with those of ROS 2 Kilted.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._reader = AnyReader([path], default_typestore=get_typestore(Stores.ROS2_KILTED))
            self._reader.open()
        # rosbags lets the errors of the formats beneath it through.
        except (AnyReaderError, OSError, ValueError, KeyError, AssertionError) as error:
            fix = f"give a bag that was closed properly, or run `ros2 bag reindex` first ({error})"
            raise InputError("bag", f"'{path}'", fix) from error

    def __enter__(self) -> "Bag":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reader.close()

    def topics(self) -> dict[str, str]:
        """Name -> type of every topic, by name."""
        return {connection.topic: connection.msgtype for connection in self._by_name()}

    def type_of(self, topic: str, option: str, accepted: tuple[str, ...]) -> str:
        """The type of `topic`. Raises InputError naming `option` when it is not there or is not `accepted`."""
        topics = self.topics()
        fitting = [f"{name} ({kind})" for name, kind in topics.items() if kind in accepted]
        if topic not in topics:
            others = ", ".join(topics) or "none"
            fix = f"the bag has {others}; of a type that fits: {', '.join(fitting) or 'none'}"
            raise InputError(option, topic, fix)
        if topics[topic] not in accepted:
            fix = f"give a topic of {', '.join(accepted)}; the bag has {', '.join(fitting) or 'none'}"
            raise InputError(option, f"{topic}, a {topics[topic]}", fix)
        return topics[topic]

    def messages(self, topic: str) -> Iterator[tuple[int, Any]]:
        """(time of receipt in ns, message) of a topic, in order of receipt. Raises InputError for a damaged message."""
        wanted = [connection for connection in self._reader.connections if connection.topic == topic]
        for number, (connection, received_ns, data) in enumerate(self._reader.messages(wanted)):
            try:
                yield received_ns, self._read(data, connection.msgtype)
            except (AnyReaderError, SerdeError) as error:
                fix = f"it is damaged: {error}"
                raise InputError(f"{topic}, message {number}", f"{len(data)} bytes", fix) from error

    def _read(self, data: bytes, kind: str) -> Any:
        if self._reader.is2:
            return read_message(self._reader.typestore, data, kind)
        return self._reader.deserialize(data, kind)

    def _by_name(self) -> list[Connection]:
        return sorted(self._reader.connections, key=lambda connection: connection.topic)


def header_stamp_ns(message: Any) -> int | None:
    """When a message says it was made, in ns, or None for one that does not say."""
    header = getattr(message, "header", None)
    stamp = 0 if header is None else header.stamp.sec * 10**9 + header.stamp.nanosec
    return stamp or None
