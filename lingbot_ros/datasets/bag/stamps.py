"""When the messages of two topics were made, on one clock."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.datasets.bag.open_bag import header_stamp_ns
from lingbot_ros.errors import InputError

STAMP_CHOICES = ("auto", "header", "received")


class StampColumn:
    """The stamps of a topic, message by message."""

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self._received: list[int] = []
        self._header: list[int | None] = []

    def add(self, received_ns: int, message: Any) -> None:
        self._received.append(received_ns)
        self._header.append(header_stamp_ns(message))

    @property
    def has_headers(self) -> bool:
        """Whether every message says when it was made."""
        return None not in self._header

    def ordered(self, kind: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The stamps of `kind`, ascending, and the number of the message that each belongs to."""
        stamps = np.array(self._header if kind == "header" else self._received, np.int64)
        order = np.argsort(stamps, kind="stable")
        return stamps[order], order

    def begin_of(self, marker: int, marks: "StampColumn", kind: str) -> int:
        """When the episode begins that message `marker` of `marks` announces, on the clock of `kind`.

        Where that came right after the message of this topic with the same header, it belongs to that one.
        """
        if kind == "header":
            return marks._header[marker] or 0
        received = marks._received[marker]
        newest = max((n for n, at in enumerate(self._received) if at <= received), default=None, key=self._at)
        if newest is None or marks._header[marker] is None or self._header[newest] != marks._header[marker]:
            return received
        return self._received[newest]

    def _at(self, number: int) -> int:
        return self._received[number]

    def __len__(self) -> int:
        return len(self._received)


def choose_stamps(wanted: str, *columns: StampColumn) -> str:
    """`header` or `received`, the same for all topics: two clocks that are mixed pair the wrong things.

    auto: the headers' where all messages of all topics have one that is not zero, else the time of receipt. Raises
    InputError for headers that are asked for and absent.
    """
    if wanted not in STAMP_CHOICES:
        raise InputError("--stamps", wanted, f"use one of {', '.join(STAMP_CHOICES)}")
    without = [column.topic for column in columns if not column.has_headers]
    if wanted == "header" and without:
        raise InputError("--stamps", wanted, f"{' and '.join(without)} has messages without a stamp; use received")
    if wanted == "auto":
        return "received" if without else "header"
    return wanted
