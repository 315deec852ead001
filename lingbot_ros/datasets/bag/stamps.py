"""When the messages of two topics were made, on one clock, and where that clock was set back."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.datasets.bag.open_bag import header_stamp_ns
from lingbot_ros.errors import InputError

STAMP_CHOICES = ("auto", "header", "received")
_SIMULATED_BELOW_NS = 10**17
"""Three years: clocks of simulators are below, clocks of computers are above."""


class StampColumn:
    """The stamps of a topic, message by message, in order of receipt.

    A source is what publishes in order: messages of different sources on one topic may be a little late against one
    another.
    """

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self.sources: list[Hashable] = []
        self._received: list[int] = []
        self._header: list[int | None] = []

    def add(self, received_ns: int, message: Any, source: Hashable = None) -> None:
        """`message` may be an error in place of one that cannot be read; it gets the stamp of the one before."""
        stamp = header_stamp_ns(message)
        if isinstance(message, InputError):
            stamp = self._header[-1] if self._header else None
        self.sources.append(source)
        self._received.append(received_ns)
        self._header.append(stamp)

    def __len__(self) -> int:
        return len(self._received)

    @property
    def received(self) -> NDArray[np.int64]:
        return np.array(self._received, np.int64)

    @property
    def headers(self) -> NDArray[np.int64] | None:
        """What the headers say, where every message says when it was made. The time 0 is one of a simulator only."""
        stamps = [0 if stamp is None else stamp for stamp in self._header]
        said = [stamp for stamp in stamps if stamp]
        if not said or (len(said) < len(stamps) and min(said) > _SIMULATED_BELOW_NS):
            return None
        return np.array(stamps, np.int64)

    def stamps(self, kind: str) -> NDArray[np.int64]:
        """Of `kind`, header or received, in order of receipt."""
        headers = self.headers
        return headers if kind == "header" and headers is not None else self.received


def choose_stamps(wanted: str, *columns: StampColumn) -> str:
    """`header` or `received`, the same for all topics: two clocks that are mixed pair the wrong things.

    auto: the headers' where all messages of all topics have one that is not zero, else the time of receipt. Raises
    InputError for headers that are asked for and absent.
    """
    if wanted not in STAMP_CHOICES:
        raise InputError("--stamps", wanted, f"use one of {', '.join(STAMP_CHOICES)}")
    without = [column.topic for column in columns if len(column) and column.headers is None]
    if wanted == "header" and without:
        raise InputError("--stamps", wanted, f"{' and '.join(without)} has messages without a stamp; use received")
    if wanted == "auto":
        return "received" if without else "header"
    return wanted


@dataclass
class _Source:
    """take: in which take it is; newest: its last stamp."""

    take: int = 0
    newest: int | None = None


def takes(columns: Sequence[StampColumn]) -> list[NDArray[np.int64]]:
    """For each message of each column the number of its take, from 0.

    A take ends where, in order of receipt, a header goes back: somebody set the clock back, as a simulator does when it
    is reset. Another source follows into the new take when its own header goes back, or when it comes nearer to the
    clock of the new take than to where the old one ended. Messages without stamps belong to the take that runs.
    """
    found = [np.zeros(len(column), np.int64) for column in columns]
    headers = [column.headers for column in columns]
    order = sorted(
        (received, which, n) for which, column in enumerate(columns) for n, received in enumerate(column.received)
    )
    newest: list[int | None] = [None]
    sources: dict[tuple[int, Hashable], _Source] = {}
    for _, which, n in order:
        stamps = headers[which]
        if stamps is None:
            found[which][n] = len(newest) - 1
            continue
        stamp = int(stamps[n])
        source = sources.setdefault((which, columns[which].sources[n]), _Source())
        back = source.newest is not None and stamp < source.newest
        if source.take == len(newest) - 1 and back:
            newest.append(None)
            source.take += 1
        elif back or _nearer(stamp, newest[-1], newest[source.take]):
            source.take = len(newest) - 1
        source.newest = newest[source.take] = stamp
        found[which][n] = source.take
    return found


def _nearer(stamp: int, new: int | None, old: int | None) -> bool:
    return new is not None and old is not None and abs(stamp - new) < abs(stamp - old)
