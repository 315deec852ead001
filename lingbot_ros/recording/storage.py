"""The files of a bag: MCAP, SQLite and ROS 1. Each lists its channels and hands out messages as they were written."""

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import zstandard
from mcap.reader import NonSeekingReader, SeekingReader
from mcap.records import Channel as McapChannel
from mcap.records import Schema
from mcap.stream_reader import StreamReader
from rosbags.rosbag1 import Reader as Ros1Reader

MAGIC = {b"\x89MCAP0\r\n": "mcap", b"SQLite format 3\0": "sqlite", b"#ROSBAG V": "ros1", b"\x28\xb5\x2f\xfd": "zstd"}
"""How the file of each format begins."""


@dataclass(frozen=True)
class Channel:
    """A topic with messages of one type. kind: `package/msg/Type`.

    language: of the `definition` of that type, as the file names it. encoding: how messages are serialised.
    """

    topic: str
    kind: str
    definition: str
    language: str
    encoding: str


class Storage(Protocol):
    """An open file. counts: how many messages each channel has."""

    counts: dict[Channel, int]

    def messages(self, wanted: Iterable[Channel]) -> Iterator[tuple[Channel, int, bytes]]:
        """(channel, time of receipt in ns, serialised message), in order of receipt."""

    def close(self) -> None: ...


class McapFile:
    """MCAP. Schemas and channels of any kind may stand beside those that are read."""

    def __init__(self, path: Path) -> None:
        self._stream = path.open("rb")
        try:
            self._indexed, self._channels = self._read_channels()
        except BaseException:
            self._stream.close()
            raise
        self.counts = dict.fromkeys(self._channels.values(), 0)
        for number, count in self._count().items():
            self.counts[self._channels[number]] += count

    def messages(self, wanted: Iterable[Channel]) -> Iterator[tuple[Channel, int, bytes]]:
        chosen = set(wanted)
        topics = {channel.topic for channel in chosen}
        self._stream.seek(0)
        reader = (SeekingReader if self._indexed else NonSeekingReader)(self._stream, validate_crcs=True)
        for _, found, message in reader.iter_messages(topics):
            channel = self._channels[found.id]
            if channel in chosen:
                yield channel, message.log_time, message.data

    def close(self) -> None:
        self._stream.close()

    def _read_channels(self) -> tuple[bool, dict[int, Channel]]:
        self._summary = SeekingReader(self._stream).get_summary()
        if self._summary is not None and self._summary.chunk_indexes and self._summary.channels:
            schemas, channels = self._summary.schemas, self._summary.channels
            if all(channel.schema_id in (0, *schemas) for channel in channels.values()):
                return True, {n: _of_mcap(channel, schemas.get(channel.schema_id)) for n, channel in channels.items()}
        return False, self._scan()

    def _scan(self) -> dict[int, Channel]:
        """The channels of a file without an index."""
        self._stream.seek(0)
        schemas: dict[int, Schema] = {}
        found: dict[int, Channel] = {}
        for record in StreamReader(self._stream).records:
            if isinstance(record, Schema):
                schemas[record.id] = record
            elif isinstance(record, McapChannel):
                found[record.id] = _of_mcap(record, schemas.get(record.schema_id))
        return found

    def _count(self) -> dict[int, int]:
        if self._indexed and self._summary is not None and self._summary.statistics is not None:
            return self._summary.statistics.channel_message_counts
        counts: dict[int, int] = {}
        self._stream.seek(0)
        for _, found, _ in NonSeekingReader(self._stream).iter_messages(log_time_order=False):
            counts[found.id] = counts.get(found.id, 0) + 1
        return counts


class SqliteFile:
    """SQLite in rosbag2's layout, of any version of it. compressed: each message is, by zstd."""

    def __init__(self, path: Path, *, compressed: bool = False) -> None:
        self._compressed = compressed
        # Where a journal lies beside it, part of the data is in there.
        how = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "mode=ro&immutable=1"
        self._database = sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, check_same_thread=False)
        try:
            definitions = self._definitions()
            rows = self._database.execute(
                "SELECT topics.id, name, type, serialization_format, count(messages.id) FROM topics "
                "LEFT JOIN messages ON topics.id = messages.topic_id GROUP BY topics.id ORDER BY topics.id"
            ).fetchall()
        except BaseException:
            self._database.close()
            raise
        self._channels = {
            number: Channel(topic, kind, *definitions.get(kind, ("", "")), encoding)
            for number, topic, kind, encoding, _ in rows
        }
        self.counts = {self._channels[row[0]]: row[-1] for row in rows}

    def messages(self, wanted: Iterable[Channel]) -> Iterator[tuple[Channel, int, bytes]]:
        chosen = set(wanted)
        numbers = [number for number, channel in self._channels.items() if channel in chosen]
        marks = ",".join("?" * len(numbers))
        query = f"SELECT topic_id, timestamp, data FROM messages WHERE topic_id IN ({marks}) ORDER BY timestamp, id"
        for number, received_ns, data in self._database.execute(query, numbers):
            yield self._channels[number], received_ns, decompressed(data) if self._compressed else data

    def close(self) -> None:
        self._database.close()

    def _definitions(self) -> dict[str, tuple[str, str]]:
        tables = self._database.execute("SELECT name FROM sqlite_master WHERE name = 'message_definitions'").fetchall()
        if not tables:
            return {}
        query = "SELECT topic_type, encoded_message_definition, encoding FROM message_definitions"
        return {kind: (text, language) for kind, text, language in self._database.execute(query)}


class Ros1File:
    """A bag of ROS 1, which must have its index."""

    def __init__(self, path: Path) -> None:
        self._reader = Ros1Reader(path)
        self._reader.open()
        self._channels = {
            connection.id: Channel(connection.topic, connection.msgtype, connection.msgdef.data, "ros1msg", "ros1")
            for connection in self._reader.connections
        }
        self.counts = {self._channels[connection.id]: 0 for connection in self._reader.connections}
        for connection in self._reader.connections:
            self.counts[self._channels[connection.id]] += connection.msgcount

    def messages(self, wanted: Iterable[Channel]) -> Iterator[tuple[Channel, int, bytes]]:
        chosen = set(wanted)
        connections = [c for c in self._reader.connections if self._channels[c.id] in chosen]
        for connection, received_ns, data in self._reader.messages(connections) if connections else ():
            yield self._channels[connection.id], received_ns, data

    def close(self) -> None:
        self._reader.close()


def format_of(path: Path) -> str:
    """mcap, sqlite, ros1, zstd, or nothing for a file of another kind. Raises OSError when it cannot be read."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        head = file.read(max(map(len, MAGIC)))
    return next((name for magic, name in MAGIC.items() if head.startswith(magic)), "")


def decompressed(data: bytes) -> bytes:
    """What `data` holds in the format of zstd."""
    return zstandard.ZstdDecompressor().decompressobj().decompress(data)


def _of_mcap(channel: McapChannel, schema: Schema | None) -> Channel:
    if schema is None:
        return Channel(channel.topic, "", "", "", channel.message_encoding)
    package, _, name = schema.name.rpartition("/")
    kind = f"{package}/msg/{name}" if schema.encoding == "ros1msg" and "/" not in package else schema.name
    # A definition in another language may be no text.
    text = schema.data.decode(errors="replace")
    return Channel(channel.topic, kind, text, schema.encoding, channel.message_encoding)
