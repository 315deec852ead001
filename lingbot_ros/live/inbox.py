"""Where controls wait for the active session: the newest one in realtime, all of them in order in lockstep."""

import threading
import time
from collections import deque
from dataclasses import dataclass, replace
from enum import StrEnum

from lingbot_ros.errors import ErrorCode, LingbotError
from lingbot_ros.live.codes import ControlState, Mode
from lingbot_ros.live.records import Control


class StalePolicy(StrEnum):
    """What happens in realtime when no control arrives for longer than the limit."""

    HOLD = "hold"
    STOP = "stop"


@dataclass(frozen=True)
class InboxCounts:
    """Totals since the inbox was made."""

    received: int
    replaced: int
    waiting: int


class ControlInbox:
    """Thread-safe. Any thread puts, the worker takes.

    Realtime: `take(n)` gives the newest control n times, again and again; once it is older than `timeout_s` the policy
    decides: HOLD goes on with it, marked as held; STOP gives nothing. Before the first control there is nothing to
    take: a control is never invented. Lockstep: `take(n)` gives n controls in the order of arrival, or nothing.
    """

    def __init__(self, mode: Mode, *, capacity: int, timeout_s: float, stale: StalePolicy) -> None:
        self._mode, self._capacity, self._timeout_s, self._stale = mode, capacity, timeout_s, stale
        self._lock = threading.Lock()
        self._queue: deque[Control] = deque()
        self._newest: Control | None = None
        self._newest_used = True
        self._last_arrival_s: float | None = None
        self._received = self._replaced = 0

    def put(self, control: Control) -> None:
        """Raises LingbotError (BUSY) when lockstep's queue is full; nothing already accepted is ever dropped there."""
        with self._lock:
            if self._mode is Mode.LOCKSTEP:
                if len(self._queue) >= self._capacity:
                    raise LingbotError(
                        f"action: {len(self._queue)} controls already wait for the generator (input.queue); "
                        "send the next ones when frames have come",
                        ErrorCode.BUSY,
                    )
                self._queue.append(control)
            else:
                self._replaced += not self._newest_used
                self._newest, self._newest_used = control, False
            self._received += 1
            self._last_arrival_s = control.received_s

    def take(self, count: int) -> list[Control] | None:
        """Controls for a chunk of `count` frames, or None when the world has to wait."""
        with self._lock:
            if self._mode is Mode.LOCKSTEP:
                if len(self._queue) < count:
                    return None
                return [self._queue.popleft() for _ in range(count)]
            newest = self._newest
            if newest is None:
                return None
            if time.monotonic() - newest.received_s > self._timeout_s:
                if self._stale is StalePolicy.STOP:
                    return None
                newest = replace(newest, state=ControlState.HELD)
            self._newest_used = True
            return [newest] * count

    def would_give(self, count: int) -> bool:
        """Whether `take(count)` would give controls now."""
        with self._lock:
            if self._mode is Mode.LOCKSTEP:
                return len(self._queue) >= count
            newest = self._newest
            if newest is None:
                return False
            return self._stale is StalePolicy.HOLD or time.monotonic() - newest.received_s <= self._timeout_s

    def clear(self) -> None:
        """Forget all controls, because they were meant for another session or could not be used."""
        with self._lock:
            self._replaced += len(self._queue) + (not self._newest_used)
            self._queue.clear()
            self._newest, self._newest_used = None, True

    def age_s(self) -> float:
        """Seconds since the last control arrived; NaN when none has."""
        with self._lock:
            return float("nan") if self._last_arrival_s is None else time.monotonic() - self._last_arrival_s

    def counts(self) -> InboxCounts:
        with self._lock:
            return InboxCounts(self._received, self._replaced, len(self._queue))
