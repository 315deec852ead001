"""Realtime: which of several sources drives."""

import time
from collections.abc import Sequence

from lingbot_ros.runtime.commands import ControlInput, MotionState, Plan
from lingbot_ros.runtime.enums import ControlSource
from lingbot_ros.runtime.records import Control
from lingbot_ros.runtime.streams import Stream, VelocityStream, new_stream

PRIORITY = (
    ControlSource.JOY,
    ControlSource.KEYS,
    ControlSource.ACTION,
    ControlSource.CAMERA_POSE,
    ControlSource.CMD_VEL,
    ControlSource.JOINT_STATE,
    ControlSource.PATH,
    ControlSource.JOINT_TRAJECTORY,
)
"""Who wins while fresh, unless a parameter says otherwise: people, then who streams, then who planned."""


class Arbiter:
    """Of the sources with something fresh to say the first in `priority` drives; one that is not named comes last.

    When all are stale, the one that was fresh last goes on, in the way that stale controls do.
    """

    def __init__(self, timeout_s: float, decay_s: float | None, priority: Sequence[ControlSource]) -> None:
        self._timeout_s, self._decay_s = timeout_s, decay_s
        self._rank = {source: rank for rank, source in enumerate(priority)}
        self._streams: dict[ControlSource, Stream] = {}
        self._ahead: dict[ControlSource, Plan] = {}

    def put(self, offer: ControlInput) -> int:
        """Returns how many earlier controls of this source no frame will use.

        A plan that lies ahead waits; what drives until then goes on. A later one of its source takes its place.
        """
        waiting = self._ahead.pop(offer.source, None)
        dropped = 0 if waiting is None else len(waiting.controls)
        if isinstance(offer, Plan) and offer.begin_s > time.monotonic():
            self._ahead[offer.source] = offer
            return dropped
        return dropped + self._begin(offer)

    def _begin(self, offer: ControlInput) -> int:
        stream = self._streams.get(offer.source)
        if stream is None:
            self._streams[offer.source] = new_stream(offer)
            return 0
        return stream.put(offer)  # type: ignore[arg-type] # a source always offers the same kind

    def release(self, source: ControlSource) -> None:
        """A source with a dead-man's switch let go."""
        stream = self._streams.get(source)
        if isinstance(stream, VelocityStream):
            stream.release()

    def _begin_plans(self) -> None:
        """Those whose time has come."""
        now_s = time.monotonic()
        for source in [source for source, plan in self._ahead.items() if plan.begin_s <= now_s]:
            self._begin(self._ahead.pop(source))

    def is_fresh(self) -> bool:
        self._begin_plans()
        now_s = time.monotonic()
        return any(stream.fresh_until_s(self._timeout_s) >= now_s for stream in self._streams.values())

    def give(self, count: int, motion_state: MotionState) -> tuple[Sequence[Control], int]:
        """Controls of the source that drives, and how many of the others were overtaken. Needs a source."""
        self._begin_plans()
        now_s = time.monotonic()
        until_s = {source: stream.fresh_until_s(self._timeout_s) for source, stream in self._streams.items()}
        fresh = [source for source, at_s in until_s.items() if at_s >= now_s]
        if fresh:
            driver = min(fresh, key=lambda source: self._rank.get(source, len(self._rank)))
        else:
            driver = max(until_s, key=lambda source: until_s[source])
        overtaken = sum(stream.skip(count) for source, stream in self._streams.items() if source is not driver)
        return self._streams[driver].give(count, motion_state, now_s - until_s[driver], self._decay_s), overtaken

    def skip(self, count: int) -> int:
        """`count` frames were made without any source; returns how many setpoints were overtaken."""
        self._begin_plans()
        return sum(stream.skip(count) for stream in self._streams.values())

    def clear(self) -> int:
        """Forget everything; returns how many setpoints no frame will use."""
        unused = sum(stream.unused for stream in self._streams.values())
        unused += sum(len(plan.controls) for plan in self._ahead.values())
        self._streams.clear()
        self._ahead.clear()
        return unused

    def __len__(self) -> int:
        """The sources that have something to say now."""
        self._begin_plans()
        return len(self._streams)
