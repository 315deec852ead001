"""One MCAP bag in the layout of rosbag2, which `ros2 bag` and Foxglove read."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rosbags.interfaces import Connection
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.rosbag2.storage_mcap import McapWriter
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from lingbot_ros.errors import InputError

_LAYOUT_VERSION: Final = 9
"""Of metadata.yaml: that of Iron and later."""


@dataclass(frozen=True)
class Topic:
    """name: absolute. kind: `package/msg/Type`."""

    name: str
    kind: str


class BagWriter:
    """A new folder with an .mcap file and, once closed, metadata.yaml. Not thread-safe.

    types: definitions of the messages that may be written, see `message_types`. parameters: of the recording node, by
    name; they stand in metadata.yaml as rosbag2's custom data. Raises InputError when `folder` exists and OSError when
    it cannot be made or written.
    """

    def __init__(self, folder: Path, types: Typestore, parameters: Mapping[str, str] | None = None) -> None:
        if folder.exists():
            raise InputError("path", f"'{folder}'", "it exists; choose another name")
        folder.parent.mkdir(parents=True, exist_ok=True)
        self._writer = Writer(folder, version=_LAYOUT_VERSION, storage_plugin=StoragePlugin.MCAP)
        self._writer.open()
        for name, value in (parameters or {}).items():
            self._writer.set_custom_data(name, value)
        self._types = types
        self._connections: dict[Topic, Connection] = {}
        self.folder, self.messages, self.size = folder, 0, 0

    def write(self, topic: Topic, stamp_ns: int, data: bytes) -> None:
        """Add a serialised message (CDR) as of `stamp_ns` on the system clock. Raises OSError when the disk is full."""
        if topic not in self._connections:
            self._connections[topic] = self._writer.add_connection(topic.name, topic.kind, typestore=self._types)
        self._writer.write(self._connections[topic], stamp_ns, data)
        self.messages += 1
        self.size += len(data)

    def flush(self) -> None:
        """Hand what was written to the system, so that a process that is killed loses no more. Raises OSError."""
        storage = self._writer.storage
        if isinstance(storage, McapWriter):
            if storage.chunk.msgs:
                storage.close_chunk()
            storage.bio.flush()

    def close(self) -> None:
        """Write index and metadata. Raises OSError when there is no room for them; what was flushed stays readable."""
        self._writer.close()


def message_types(definitions: dict[str, str]) -> Typestore:
    """The standard messages of ROS 2 and those `definitions` gives: `package/msg/Type` -> text of the .msg file."""
    store = get_typestore(Stores.ROS2_KILTED)
    for kind, text in definitions.items():
        store.register(get_types_from_msg(text, kind))
    return store
