"""Decides which chunk is imagined next, and imagines it. Single-threaded: the worker calls it between commands."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lingbot_ros.control.motion import motion_of
from lingbot_ros.control.prompts import check_prompts
from lingbot_ros.errors import LingbotError, SessionError
from lingbot_ros.runtime.chunk_records import chunk_records, first_frame_record
from lingbot_ros.runtime.commands import MotionState
from lingbot_ros.runtime.enums import Mode
from lingbot_ros.runtime.follower import Follower, Observed, Otherwise
from lingbot_ros.runtime.frame_buffer import FrameBuffer
from lingbot_ros.runtime.inbox import ControlInbox
from lingbot_ros.runtime.real_images import RealImage, same_aspect, wrong_aspect
from lingbot_ros.runtime.records import Control, FrameRecord, stamp_after
from lingbot_ros.runtime.rollout import Rollout, require_whole_chunks
from lingbot_ros.runtime.rollout_queue import RolloutQueue
from lingbot_ros.runtime.served_session import ServedSession
from lingbot_ros.runtime.session_table import SessionTable
from lingbot_ros.runtime.statistics import Statistics
from lingbot_ros.sendable import MAX_STAMP_NS, PROMPT_BYTES, require_text
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


class Scheduler:
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
        follower: Follower,
    ) -> None:
        self._info, self._table, self._inbox, self._output = info, table, inbox, output
        self._statistics, self._mode, self._on_error = statistics, mode, on_error
        self._follower = follower
        self._rollouts = RolloutQueue()
        self._motion = motion_of(info.control, info.fps)
        self._inbox_first = True
        self._retry_at_s = 0.0
        self.playing = False
        self.paused = False
        self.idle: Callable[[int], Sequence[Control] | None] | None = None

    def add(self, rollout: Rollout) -> None:
        """Queue a rollout. Raises SessionError for an unknown session and InputError for a part of a chunk."""
        served = self._table.get(rollout.session_id)
        require_text("prompt", rollout.prompt, PROMPT_BYTES)
        check_prompts(rollout.prompts, len(rollout.controls))
        for number, image in enumerate(rollout.real):
            if served.given_size is not None and not same_aspect(image.given_size, served.given_size):
                raise wrong_aspect(f"images[{number}]", image.given_size, served.given_size)
        if not self._rollouts.holds(served.id):
            self._require_whole_chunks(served, rollout)
        rollout.served = self._table.fork_apart(served) if rollout.on_fork else served
        self._rollouts.add(rollout.served.id, rollout)

    def stop_rollouts(self, reason: LingbotError, session_id: str | None = None) -> None:
        """End all rollouts, or those of one session, where they stand."""
        for rollout in self._rollouts if session_id is None else self._rollouts.of_session(session_id):
            rollout.stop(reason)
            self._finish(rollout, rollout.stop_reason)

    def take_over(self, served: ServedSession) -> None:
        """`served` became the active session: drop the old queue; a new session publishes its first image."""
        self.forget_waiting()
        if served.session.frame_index == 0 and served.first_frame is not None:
            self._output.buffer.put([first_frame_record(served, served.first_frame)])

    def forget_waiting(self) -> None:
        """Drop controls, real images and paced frames of a session that is not active any more."""
        self._inbox.serve(self._table.active_id)
        self._follower.clear()
        self._statistics.add_dropped(self._output.buffer.drop_paced())

    def take_waiting(self, count: int) -> Sequence[Control] | None:
        """What the inbox has for a chunk of `count` frames of the active session, or None."""
        served = self._table.active
        return None if served is None else self._inbox.take(count, self._stand(served))

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
        served = self._table.active
        if not self.playing or self.paused or served is None or self._rollouts.holds(served.id):
            return math.inf
        count = served.session.frames_in_next_chunk
        self._follower.check(served)
        if not self._output.buffer.has_room() or not (self.idle or self._may_go_on(count)):
            return math.inf
        wait_s = max(self._retry_at_s - time.monotonic(), self._wait_for_beat_s())
        if wait_s > 0:
            return wait_s
        chunk = self._follower.next_chunk(served, count, self._stand(served))
        if chunk is Otherwise.WAIT:
            return math.inf
        real: Sequence[RealImage] = ()
        controls: Sequence[Control] | None
        if isinstance(chunk, Observed):
            controls, real = chunk.controls, chunk.images
        else:
            controls = self.take_waiting(count) or (self.idle(count) if self.idle else None)
        if controls is None:
            return math.inf
        try:
            self._output.buffer.put(self._step(served, controls, real, paced=self._mode is Mode.REALTIME))
        except Exception as error:  # whatever a chunk raises, the node and its sessions go on
            self._inbox.clear()
            self._retry_at_s = time.monotonic() + _RETRY_S
            self._on_error(error)
        return 0.0

    def _may_go_on(self, count: int) -> bool:
        """Whether there are controls for the next chunk. In realtime those of a real image may be older ones."""
        late = self._mode is Mode.REALTIME and self._follower.could_observe()
        return late or self._inbox.would_give(count)

    def _stand(self, served: ServedSession) -> MotionState:
        """Where velocities go on from. The session itself knows, so that forks and restored ones have their own."""
        is_camera = self._info.control.kind == "camera"
        return MotionState(self._motion, served.camera_pose if is_camera else served.session.last_action)

    def _wait_for_beat_s(self) -> float:
        if self._mode is not Mode.REALTIME:
            return 0.0
        computing_s = self._statistics.slowest_chunk_s() * _HEADROOM + _MARGIN_S
        return self._output.next_due_s() - computing_s - time.monotonic()

    def _advance_rollouts(self) -> float:
        rollout = self._rollouts.next(lambda session_id: not self._shown(session_id) or self._output.buffer.has_room())
        if rollout is None or rollout.served is None:
            return math.inf
        served = rollout.served
        try:
            if rollout.frames == 0:
                self._require_whole_chunks(served, rollout)
                rollout.begin_prompt(served.session.prompt)
            count = served.session.frames_in_next_chunk
            if (prompt := rollout.next_prompt(count)) is not None:
                served.session.prompt = prompt
            records = self._step(served, rollout.take(count), rollout.take_real(count), paced=rollout.paced)
            rollout.frames += len(records)
            if self._shown(served.id):
                self._output.buffer.put(records)
            rollout.on_chunk(records)
        except Exception as error:  # as above; the rollout reports it to its client
            self._finish(rollout, error)
            return 0.0
        if rollout.frames >= len(rollout.controls):
            self._finish(rollout, None)
        return 0.0

    def _shown(self, session_id: str) -> bool:
        return session_id == self._table.active_id

    def _step(
        self, served: ServedSession, controls: Sequence[Control], real: Sequence[RealImage], *, paced: bool
    ) -> list[FrameRecord]:
        """Imagine a chunk, or observe it where it is `real`."""
        self._require_time(served, len(controls))
        started_s, values = time.monotonic(), np.stack([control.values for control in controls])
        if real:
            images = np.stack([each.image for each in real])
            served.session.observe(images, values)
            self._statistics.add_observed(len(real))
        else:
            images = served.session.step(values)
        self._statistics.add_chunk(time.monotonic() - started_s)
        served.used_s, served.last_control = time.monotonic(), controls[-1]
        return chunk_records(served, images, controls, self._info.fps, paced=paced, observed=real)

    def _require_time(self, served: ServedSession, frames: int) -> None:
        """What lies beyond the last stamp could be neither published nor listed."""
        last = served.session.frame_index + frames
        if stamp_after(served.start_stamp_ns, last, self._info.fps) > MAX_STAMP_NS:
            raise SessionError(
                f"session: the imagined time of '{served.id}' would pass 2^31 s, which no ROS stamp can name; start a "
                "session with an earlier start_stamp"
            )

    def _finish(self, rollout: Rollout, error: BaseException | None) -> None:
        self._rollouts.remove(rollout)
        view = self._table.view(rollout.served) if rollout.served is not None else None
        if rollout.on_fork and rollout.served is not None:
            rollout.served.session.close()
        rollout.finish(view, error)

    def _require_whole_chunks(self, served: ServedSession, rollout: Rollout) -> None:
        first, later = served.session.frames_in_next_chunk, self._info.frames_per_chunk
        require_whole_chunks(len(rollout.controls), first, later, "controls")
