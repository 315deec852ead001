"""A bag of any kind, opened without ROS. Only what is asked for has to be understood."""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import yaml
import zstandard
from rosbags.serde import SerdeError
from rosbags.typesys import Stores, get_types_from_idl, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from lingbot_ros.errors import InputError
from lingbot_ros.recording.storage import (
    Channel,
    McapFile,
    Ros1File,
    SqliteFile,
    Storage,
    decompressed,
    format_of,
)

_METADATA = "metadata.yaml"
_REPAIR = {
    "mcap": "it was not closed, or it is damaged: run `mcap recover {file} -o recovered.mcap` and give recovered.mcap",
    "sqlite": "it is damaged: run `sqlite3 {file} .recover | sqlite3 recovered.db3` and give recovered.db3",
    "ros1": "it was not closed, or it is damaged: run `rosbag reindex {file}` where ROS 1 is installed",
    "zstd": "it is damaged: run `zstd -d {file}` and give what that makes",
}


class UnreadableTypeError(InputError):
    """No message of a topic can be understood, because its type cannot."""


class BagFile:
    """Context manager. A folder of rosbag2, or a single .mcap, .db3 or ROS 1 .bag file; anything else: InputError.

    What a file is follows from its content. metadata.yaml may be missing or damaged; then the parameters that the
    recorder stored in it are unknown.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stack = ExitStack()
        self._types: dict[Channel, Typestore] = {}
        if not path.exists():
            raise InputError("bag", f"'{path}'", "there is no such file or folder")
        metadata = _metadata(path if path.is_dir() else path.parent)
        files = _listed(path, metadata) if path.is_dir() else [path]
        if path.is_file() and path.name not in [Path(name).name for name in _names(metadata)]:
            metadata = {}
        custom = metadata.get("custom_data")
        self.custom: dict[str, Any] = custom if isinstance(custom, dict) else {}
        each = str(metadata.get("compression_mode", "")).lower() == "message"
        try:
            self._each_compressed = each
            self._files = [self._open(file) for file in files]
        except BaseException:
            self._stack.close()
            raise
        self.counts: dict[Channel, int] = {}
        for storage, _ in self._files:
            for channel, count in storage.counts.items():
                self.counts[channel] = self.counts.get(channel, 0) + count

    def __enter__(self) -> "BagFile":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._stack.close()

    @property
    def channels(self) -> list[Channel]:
        """By topic, then by type."""
        return sorted(self.counts, key=lambda channel: (channel.topic, channel.kind))

    def messages(self, wanted: Iterable[Channel]) -> Iterator[tuple[Channel, int, bytes]]:
        """(channel, time of receipt in ns, serialised message) in order of receipt. Raises InputError."""
        chosen = list(wanted)
        for storage, file in self._files:
            here = [channel for channel in chosen if channel in storage.counts]
            promised, found = sum(storage.counts[channel] for channel in here), 0
            try:
                for message in storage.messages(here):
                    yield message
                    found += 1
                if found < promised:
                    raise ValueError(f"it holds {found} of {promised} messages")
            except Exception as error:  # damaged bytes make the formats' readers raise anything
                raise _unreadable(file, error) from error

    def decoded(self, wanted: Iterable[Channel]) -> Iterator[tuple[Channel, Any]]:
        """Messages in order of receipt. Raises InputError for a damaged one."""
        for number, (channel, _, data) in enumerate(self.messages(wanted)):
            yield channel, self.read(channel, data, f"message {number}")

    def read(self, channel: Channel, data: bytes, which: str) -> Any:
        """A message. Raises InputError for a damaged one, and UnreadableTypeError for a type that is not understood."""
        if channel not in self._types:
            self._types[channel] = _typestore(channel, self.path)
        types = self._types[channel]
        try:
            if channel.encoding == "ros1":
                return types.deserialize_ros1(data, channel.kind)
            return read_message(types, data, channel.kind)
        except Exception as error:  # as do those of the messages
            raise InputError(f"{channel.topic}, {which}", f"{len(data)} bytes", f"it is damaged: {error}") from error

    def _open(self, file: Path) -> tuple[Storage, Path]:
        try:
            kind = format_of(file)
            if not kind:
                what = "it is empty" if file.stat().st_size == 0 else "it is neither MCAP nor SQLite nor a ROS 1 bag"
                raise InputError("bag", f"'{file}'", what)
        except OSError as error:
            raise InputError("bag", f"'{file}'", f"it cannot be read ({error.strerror})") from error
        try:
            storage = self._storage(kind, file)
        except Exception as error:  # damaged bytes make the formats' readers raise anything
            raise _unreadable(file, error) from error
        self._stack.callback(storage.close)
        return storage, file

    def _storage(self, kind: str, file: Path) -> Storage:
        if kind == "zstd":
            folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
            whole = folder / file.stem
            with file.open("rb") as packed, whole.open("wb") as unpacked:
                zstandard.ZstdDecompressor().copy_stream(packed, unpacked)
            return self._storage(format_of(whole), whole)
        if kind == "mcap":
            mcap = McapFile(file)
            return _Decompressing(mcap) if self._each_compressed else mcap
        if kind == "sqlite":
            return SqliteFile(file, compressed=self._each_compressed)
        if kind == "ros1":
            return Ros1File(file)
        raise ValueError("what it holds is neither MCAP nor SQLite")


class _Decompressing:
    """A file whose messages are compressed one by one."""

    def __init__(self, inner: Storage) -> None:
        self._inner, self.counts = inner, inner.counts

    def messages(self, wanted: Iterable[Channel]) -> Iterator[tuple[Channel, int, bytes]]:
        for channel, received_ns, data in self._inner.messages(wanted):
            yield channel, received_ns, decompressed(data)

    def close(self) -> None:
        self._inner.close()


def read_message(types: Typestore, data: bytes, kind: str) -> Any:
    """A message from its serialised form. Raises SerdeError for one that is damaged.

    After empty sequences the ROS 2 middleware leaves up to eight unused bytes at the end, which rosbags takes for a
    fault.
    """
    for spare in (0, 4):
        try:
            return types.deserialize_cdr(data[: len(data) - spare], kind)
        except SerdeError:
            continue
    return types.deserialize_cdr(data[:-8], kind)


def _metadata(folder: Path) -> dict[str, Any]:
    """What metadata.yaml says; nothing where it is missing or damaged."""
    try:
        content = yaml.safe_load((folder / _METADATA).read_text(encoding="utf-8"))
        found = content["rosbag2_bagfile_information"]
    except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _names(metadata: dict[str, Any]) -> list[str]:
    names = metadata.get("relative_file_paths")
    return [str(name) for name in names] if isinstance(names, list) else []


def _listed(folder: Path, metadata: dict[str, Any]) -> list[Path]:
    """The files of a bag in a folder, in order: those that metadata.yaml lists, else all that are of a bag."""
    listed = [folder / Path(name).name for name in _names(metadata)]
    present = [file for file in listed if file.is_file()]
    if present and len(present) < len(listed):
        missing = ", ".join(file.name for file in listed if file not in present)
        raise InputError("bag", f"'{folder}', without {missing}", f"{_METADATA} lists it: copy the complete folder")
    if present:
        return present
    found = [file for file in folder.iterdir() if format_of(file)]
    if not found:
        raise InputError("bag", f"'{folder}'", "it holds no .mcap, .db3 or .bag file; give the folder of a bag")
    return sorted(found, key=lambda file: (len(file.name), file.name))


def _unreadable(file: Path, error: Exception) -> InputError:
    try:
        kind = format_of(file)
    except OSError:
        kind = ""
    fix = _REPAIR.get(kind, "give a bag").format(file=file)
    return InputError("bag", f"'{file}'", f"{fix} ({type(error).__name__}: {error})")


def _typestore(channel: Channel, bag: Path) -> Typestore:
    """The types that one channel needs, by the definitions stored with it, else by those of ROS 2 Kilted."""
    if channel.encoding not in ("cdr", "ros1"):
        fix = "only messages of ROS are read; record the topic with `ros2 bag record`"
        raise UnreadableTypeError(channel.topic, f"messages in {channel.encoding or 'no encoding'}", fix)
    standard = get_typestore(Stores.ROS1_NOETIC if channel.encoding == "ros1" else Stores.ROS2_KILTED)
    types = get_typestore(Stores.EMPTY)
    try:
        if channel.language in ("ros2msg", "ros1msg") and channel.definition.strip():
            types.register(get_types_from_msg(channel.definition, channel.kind))
        elif channel.language in ("ros2idl", "omgidl"):
            for part in channel.definition.split("=" * 80 + "\n"):
                types.register(get_types_from_idl(part.partition("\n")[2] if part.startswith("IDL: ") else part))
        else:
            types = standard
        if channel.kind not in types.types:
            raise ValueError(f"there is no definition of {channel.kind}")
    except Exception as error:  # as do those of definitions
        if channel.kind in standard.types:
            return standard
        fix = f"its type cannot be read from '{bag}' ({error}); use another topic"
        raise UnreadableTypeError(channel.topic, channel.kind or "no type", fix) from error
    _check_definitions(channel, types, standard, bag)
    return types


def _check_definitions(channel: Channel, types: Typestore, standard: Typestore, bag: Path) -> None:
    """Raises UnreadableTypeError for a type whose parts are missing, or that is not the standard one of that name.

    It may have more fields than the standard one, as a later version does.
    """
    try:
        types.get_msgdef(channel.kind)  # which looks at all parts
    except Exception as error:  # as above
        fix = f"its definition in '{bag}' is damaged ({type(error).__name__}: {error}); use another topic"
        raise UnreadableTypeError(channel.topic, channel.kind, fix) from error
    for kind in types.fielddefs.keys() & standard.fielddefs.keys():
        found = dict(types.fielddefs[kind][1])
        for name, what in standard.fielddefs[kind][1]:
            if found.get(name) != what:
                fix = (
                    f"the definition of {kind} in '{bag}' is damaged: its field '{name}' is missing or of another type"
                )
                raise UnreadableTypeError(channel.topic, channel.kind, fix)
