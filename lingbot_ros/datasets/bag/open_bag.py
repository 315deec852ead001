"""The topics of a bag as sources of images and actions."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lingbot_ros.errors import InputError
from lingbot_ros.recording.bag_file import BagFile, UnreadableTypeError
from lingbot_ros.recording.storage import Channel


class Bag:
    """Context manager. A bag of any kind that `BagFile` opens; anything else: InputError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = BagFile(path)

    def __enter__(self) -> "Bag":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def topics(self) -> dict[str, list[str]]:
        """Name -> types of every topic, by name. Nodes of different age may send different types on one topic."""
        found: dict[str, list[str]] = {}
        for channel in self._file.channels:
            kinds = found.setdefault(channel.topic, [])
            if channel.kind and channel.kind not in kinds:
                kinds.append(channel.kind)
        return found

    def types_of(self, topic: str, option: str, accepted: tuple[str, ...]) -> tuple[str, ...]:
        """The types of `topic` that are `accepted`. Raises InputError naming `option` when there are none."""
        topics = self.topics()
        fitting = [f"{name} ({kind})" for name, kinds in topics.items() for kind in kinds if kind in accepted]
        if topic not in topics:
            others = ", ".join(topics) or "none"
            fix = f"the bag has {others}; of a type that fits: {', '.join(fitting) or 'none'}"
            raise InputError(option, topic, fix)
        kinds = tuple(kind for kind in topics[topic] if kind in accepted)
        if not kinds:
            fix = f"give a topic of {', '.join(accepted)}; the bag has {', '.join(fitting) or 'none'}"
            raise InputError(option, f"{topic}, a {', '.join(topics[topic]) or 'topic without a type'}", fix)
        return kinds

    def messages(self, topic: str, kinds: tuple[str, ...]) -> Iterator[tuple[int, Any]]:
        """(time of receipt in ns, message) of a topic, in order of receipt.

        In place of a damaged message stands the InputError that says so. Raises InputError when no message of a type
        can be understood.
        """
        wanted: list[Channel] = [c for c in self._file.channels if c.topic == topic and c.kind in kinds]
        for number, (channel, received_ns, data) in enumerate(self._file.messages(wanted)):
            try:
                yield received_ns, self._file.read(channel, data, f"message {number}")
            except UnreadableTypeError:
                raise
            except InputError as error:
                yield received_ns, error


def header_stamp_ns(message: Any) -> int | None:
    """What the header of a message says, in ns: 0 where it is not filled in. None for a message without a header."""
    header = getattr(message, "header", None)
    return None if header is None else int(header.stamp.sec) * 10**9 + int(header.stamp.nanosec)
