"""Decides which chunk is imagined next, and imagines it. Single-threaded: the worker calls it between commands."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lingbot_ros.control.motion import motion_of
from lingbot_ros.errors import LingbotError
from lingbot_ros.runtime.chunk_records import chunk_records, first_frame_record
from lingbot_ros.runtime.commands import Stand
from lingbot_ros.runtime.enums import Mode
from lingbot_ros.runtime.frame_buffer import FrameBuffer
from lingbot_ros.runtime.inbox import ControlInbox
from lingbot_ros.runtime.records import Control, FrameRecord
from lingbot_ros.runtime.rollout import Rollout, require_whole_chunks
from lingbot_ros.runtime.rollout_queue import RolloutQueue
from lingbot_ros.runtime.served_session import LiveSession
from lingbot_ros.runtime.session_table import SessionTable
from lingbot_ros.runtime.statistics import Statistics
from lingbot_ros.world import WorldInfo

# A realtime chunk is begun as late as the slowest recent one allows, so that its control is as new as can be.
_HEADROOM = 1.25
_MARGIN_S = 0.008
# After a failed chunk the same cause would fail again at once; the pause keeps the log readable.
_RETRY_S = 0.5


@dataclass(frozen=True)
class Output:
    """Where frames go. next_due_s: when a paced frame put into the buffer now would be published (monotonic clock)."""

    buffer: FrameBuffer
    next_due_s: Callable[[], float]


class Generator:
    """Turns controls into frames, one chunk per `advance()`.

    Work comes from the inbox, for the active session, and from rollouts, for any session. They take turns chunk by
    chunk; the inbox waits while a rollout runs on the active session. A chunk that fails leaves its session as it was:
    a rollout ends with that error, and the controls in the inbox, which cannot be used, are dropped.

    playing: the node is active. paused: time stands still, rollouts excepted. idle: what drives a chunk of so many
    frames when the inbox has nothing; None, or what gives None: time waits.
    """

    def __init__(
        self,
        info: WorldInfo,
        table: SessionTable,
        inbox: ControlInbox,
        output: Output,
        statistics: Statistics,
        mode: Mode,
        on_error: Callable[[Exception], None],
    ) -> None:
        self._info, self._table, self._inbox, self._output = info, table, inbox, output
        self._statistics, self._mode, self._on_error = statistics, mode, on_error
        self._rollouts = RolloutQueue()
        self._motion = motion_of(info.control, info.fps)
        self._inbox_first = True
        self._retry_at_s = 0.0
        self.playing = False
        self.paused = False
        self.idle: Callable[[int], Sequence[Control] | None] | None = None

    def add(self, rollout: Rollout) -> None:
        """Queue a rollout. Raises SessionError for an unknown session and InputError for a part of a chunk."""
        live = self._table.get(rollout.session_id)
        if not self._rollouts.holds(live.id):
            self._require_whole_chunks(live, rollout)
        rollout.live = self._table.fork_apart(live) if rollout.on_fork else live
        self._rollouts.add(rollout.live.id, rollout)

    def stop_rollouts(self, reason: LingbotError, session_id: str | None = None) -> None:
        """End all rollouts, or those of one session, where they stand."""
        for rollout in self._rollouts if session_id is None else self._rollouts.of_session(session_id):
            rollout.stop(reason)
            self._finish(rollout, rollout.stop_reason)

    def take_over(self, live: LiveSession) -> None:
        """`live` became the active session: what waits for the old one is void; a new one shows its first picture."""
        self.forget_waiting()
        if live.session.frame_index == 0 and live.first_frame is not None:
            self._output.buffer.put([first_frame_record(live, live.first_frame)])

    def forget_waiting(self) -> None:
        """Drop controls and paced frames of a session that is not active any more."""
        self._inbox.clear()
        self._statistics.add_dropped(self._output.buffer.drop_paced())

    def take_waiting(self, count: int) -> Sequence[Control] | None:
        """What the inbox has for a chunk of `count` frames of the active session, or None."""
        live = self._table.active
        return None if live is None else self._inbox.take(count, self._stand(live))

    def works_on(self, session_id: str) -> bool:
        """Whether a rollout of that session runs or waits."""
        return self._rollouts.holds(session_id)

    @property
    def rollout_count(self) -> int:
        return len(self._rollouts)

    def advance(self) -> float:
        """Imagine at most one chunk. Seconds until there may be more: 0 = at once, inf = when something comes."""
        for rollout in self._rollouts:
            rollout.check_canceled()
            if rollout.stop_reason is not None:
                self._finish(rollout, rollout.stop_reason)
        first, second = self._advance_inbox, self._advance_rollouts
        if not self._inbox_first:
            first, second = second, first
        self._inbox_first = not self._inbox_first
        wait_s = first()
        return 0.0 if wait_s == 0 else min(wait_s, second())

    def _advance_inbox(self) -> float:
        live = self._table.active
        if not self.playing or self.paused or live is None or self._rollouts.holds(live.id):
            return math.inf
        count = live.session.frames_in_next_chunk
        if not self._output.buffer.has_room() or not (self.idle or self._inbox.would_give(count)):
            return math.inf
        wait_s = max(self._retry_at_s - time.monotonic(), self._wait_for_beat_s())
        if wait_s > 0:
            return wait_s
        controls = self.take_waiting(count) or (self.idle(count) if self.idle else None)
        if controls is None:
            return math.inf
        try:
            self._output.buffer.put(self._step(live, controls, paced=self._mode is Mode.REALTIME))
        except Exception as error:  # whatever a chunk raises, the node and its sessions go on
            self._inbox.clear()
            self._retry_at_s = time.monotonic() + _RETRY_S
            self._on_error(error)
        return 0.0

    def _stand(self, live: LiveSession) -> Stand:
        """Where velocities go on from. The session itself knows, so that forks and restored ones have their own."""
        is_camera = self._info.control.kind == "camera"
        return Stand(self._motion, live.camera_pose if is_camera else live.session.last_action)

    def _wait_for_beat_s(self) -> float:
        if self._mode is not Mode.REALTIME:
            return 0.0
        computing_s = self._statistics.slowest_chunk_s() * _HEADROOM + _MARGIN_S
        return self._output.next_due_s() - computing_s - time.monotonic()

    def _advance_rollouts(self) -> float:
        rollout = self._rollouts.next(lambda session_id: not self._shown(session_id) or self._output.buffer.has_room())
        if rollout is None or rollout.live is None:
            return math.inf
        live = rollout.live
        try:
            if rollout.frames == 0:
                self._require_whole_chunks(live, rollout)
                live.session.prompt = rollout.prompt or live.session.prompt
            records = self._step(live, rollout.take(live.session.frames_in_next_chunk), paced=rollout.paced)
            rollout.frames += len(records)
            if self._shown(live.id):
                self._output.buffer.put(records)
            rollout.on_chunk(records)
        except Exception as error:  # as above; whoever waits for the rollout is told
            self._finish(rollout, error)
            return 0.0
        if rollout.frames >= len(rollout.controls):
            self._finish(rollout, None)
        return 0.0

    def _shown(self, session_id: str) -> bool:
        return session_id == self._table.active_id

    def _step(self, live: LiveSession, controls: Sequence[Control], *, paced: bool) -> list[FrameRecord]:
        started_s = time.monotonic()
        images = live.session.step(np.stack([control.values for control in controls]))
        self._statistics.add_chunk(time.monotonic() - started_s)
        live.used_s, live.last_control = time.monotonic(), controls[-1]
        return chunk_records(live, images, controls, self._info.fps, paced=paced)

    def _finish(self, rollout: Rollout, error: BaseException | None) -> None:
        self._rollouts.remove(rollout)
        view = self._table.view(rollout.live) if rollout.live is not None else None
        if rollout.on_fork and rollout.live is not None:
            rollout.live.session.close()
        rollout.finish(view, error)

    def _require_whole_chunks(self, live: LiveSession, rollout: Rollout) -> None:
        first, later = live.session.frames_in_next_chunk, self._info.frames_per_chunk
        require_whole_chunks(len(rollout.controls), first, later, "controls")
