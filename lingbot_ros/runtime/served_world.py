"""A world with its sessions, scheduler and output, owned by the worker's thread. Single-threaded."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lingbot_ros.errors import ErrorCode, LingbotError
from lingbot_ros.runtime.enums import Mode, State
from lingbot_ros.runtime.follower import Follower
from lingbot_ros.runtime.inbox import ControlInbox
from lingbot_ros.runtime.intrinsics import CameraDefaults
from lingbot_ros.runtime.real_images import ObserveSettings, RealImages
from lingbot_ros.runtime.records import Control, SavedSession, SessionView, StartRequest, stamp_after
from lingbot_ros.runtime.rollout import Rollout
from lingbot_ros.runtime.scheduler import Output, Scheduler
from lingbot_ros.runtime.session_table import Limits, SessionTable
from lingbot_ros.runtime.statistics import Statistics
from lingbot_ros.sendable import PROMPT_BYTES, require_text
from lingbot_ros.world import World


@dataclass(frozen=True)
class WorldView:
    """Read-only state for other threads; replaced after each change."""

    state: State = State.IDLE
    active_id: str = ""
    sessions: tuple[SessionView, ...] = ()
    rollouts: int = 0


class ServedWorld:
    """The operations of the ROS services, on plain values. Called only from the worker's thread, between chunks."""

    def __init__(
        self,
        world: World,
        mode: Mode,
        limits: Limits,
        snapshot_folder: Path,
        inbox: ControlInbox,
        output: Output,
        statistics: Statistics,
        on_error: Callable[[Exception], None],
        camera: CameraDefaults,
        images: RealImages,
        observe: ObserveSettings,
        owner: str = "",
    ) -> None:
        self._world, self._limits = world, limits
        self._table = SessionTable(world, limits, snapshot_folder, camera, owner)
        self._on_error = on_error
        self._follower = Follower(observe, images, inbox, mode, world.info.fps, on_error)
        self._generator = Scheduler(world.info, self._table, inbox, output, statistics, mode, on_error, self._follower)
        self._last_chunk_s = 0.0

    def start_session(self, request: StartRequest) -> SessionView:
        """See `SessionTable.start`. Rollouts of a session that is replaced end with SESSION_CLOSED."""
        before = {view.session_id: view.created_ns for view in self._table.views()}
        served = self._table.start(request)
        after = {view.session_id: view.created_ns for view in self._table.views()}
        for session_id, created_ns in before.items():
            if after.get(session_id) != created_ns:
                self._stop_rollouts_of(session_id)
        if served.id == self._table.active_id:
            self._generator.take_over(served)
        elif not self._table.active_id:
            self._generator.forget_waiting()
        return self._table.view(served)

    def fork_session(self, session_id: str, new_id: str, activate: bool, lease_s: float) -> SessionView:
        served = self._table.fork(session_id, new_id, activate=activate, lease_s=lease_s)
        if activate:
            self._generator.take_over(served)
        return self._table.view(served)

    def save_session(self, session_id: str, path: str, overwrite: bool) -> SavedSession:
        return self._table.save(session_id, path, overwrite=overwrite)

    def restore_session(self, path: str, session_id: str, now_ns: int, activate: bool, lease_s: float) -> SessionView:
        served = self._table.restore(path, session_id, now_ns, activate=activate, lease_s=lease_s)
        self._stop_rollouts_of(served.id)
        if served.id == self._table.active_id:
            self._generator.take_over(served)
        return self._table.view(served)

    def end_session(self, session_id: str) -> SessionView:
        view = self._table.end(session_id)
        self._stop_rollouts_of(view.session_id)
        if view.active:
            self._generator.forget_waiting()
        return view

    def sessions(self) -> tuple[SessionView, ...]:
        """All open sessions, oldest first."""
        return self._table.views()

    def set_prompt(self, prompt: str) -> None:
        """Set the prompt of the active session, from its next chunk on."""
        self._table.get("").session.prompt = require_text("prompt", prompt, PROMPT_BYTES)

    def add_rollout(self, rollout: Rollout) -> None:
        """See `Scheduler.add`. If this raises, the rollout is refused and its `done` stays unset.

        Raises LingbotError (BUSY) when the queue is full.
        """
        if self._generator.rollout_count >= self._limits.requests:
            raise LingbotError(
                f"{self._limits.requests} trajectories already wait for the generator (limits.requests); ask again "
                "when some are done",
                ErrorCode.BUSY,
            )
        self._generator.add(rollout)

    def play(self, playing: bool, reason: LingbotError) -> None:
        """Start or stop imagined time. When it stops, rollouts end with `reason` and controls are ignored."""
        self._generator.playing = playing
        if not playing:
            self._generator.stop_rollouts(reason)
            self._generator.forget_waiting()

    def pause(self, paused: bool, idle: Callable[[int], Sequence[Control] | None] | None = None) -> None:
        """Pause imagined time, except for rollouts. `idle`: controls for when no source gives any, see `Scheduler`."""
        self._generator.paused, self._generator.idle = paused, idle

    def set_paused(self, paused: bool) -> State:
        """Pause or resume imagined time for a client. Controls that wait are dropped, so that none acts late."""
        if paused and not self._generator.paused:
            self._generator.forget_waiting()
        self.pause(paused)
        return self.view().state

    def waiting_controls(self, count: int) -> Sequence[Control] | None:
        """Take the controls of the active session's next chunk of `count` frames from the inbox, if there are any."""
        return self._generator.take_waiting(count)

    def last_control(self, session_id: str) -> Control | None:
        """Control of the session's last frame; None before its first chunk. Raises SessionError for an unknown id."""
        return self._table.get(session_id).last_control

    @property
    def active_id(self) -> str:
        """Id of the session that topics drive; empty = none."""
        return self._table.active_id

    def is_open(self, session_id: str) -> bool:
        """Whether there is a session of that id."""
        return any(view.session_id == session_id for view in self._table.views())

    def session(self, session_id: str) -> SessionView:
        """The session of that id. Raises SessionError if it is unknown."""
        return self._table.view(self._table.get(session_id))

    def set_back_time(self, session_id: str) -> None:
        """Set the imagined time of the session's last frame to 0; the past is kept."""
        served = self._table.get(session_id)
        served.start_stamp_ns = -stamp_after(0, served.session.frame_index, self._world.info.fps)

    def advance(self) -> float:
        """See `Scheduler.advance`. While no session is active, the first real image starts one."""
        if not self._table.active_id and self._generator.playing and not self._generator.paused:
            self._start_from_real_image()
        wait_s = self._generator.advance()
        if wait_s == 0:
            self._last_chunk_s = time.monotonic()
        return wait_s

    def end_expired(self) -> list[SessionView]:
        """End the sessions whose lease has expired. A session with a rollout, also a queued one, counts as in use."""
        expired = self._table.expired_ids()
        return [self.end_session(session_id) for session_id in expired if not self._generator.works_on(session_id)]

    def view(self) -> WorldView:
        info = self._world.info
        patience_s = 1.0 + info.frames_per_chunk / info.fps
        if self._generator.rollout_count or time.monotonic() - self._last_chunk_s < patience_s:
            state = State.RUNNING
        else:
            state = State.WAITING
        if self._generator.paused and not self._generator.rollout_count:
            state = State.PAUSED
        if not self._table.active_id:
            state = State.IDLE
        return WorldView(state, self._table.active_id, self._table.views(), self._generator.rollout_count)

    def close(self, reason: LingbotError) -> None:
        """End all sessions and free the model."""
        self._generator.stop_rollouts(reason)
        self._world.close()

    def _start_from_real_image(self) -> None:
        image = self._follower.take_first()
        if image is None:
            return
        try:
            self.start_session(StartRequest(image.stamp_ns, image.image, given_size=image.given_size))
        except LingbotError as error:  # as limits; the next image tries again
            self._on_error(error)

    def _stop_rollouts_of(self, session_id: str) -> None:
        reason = f"session_id: '{session_id}' was ended, replaced or set back meanwhile; start again"
        self._generator.stop_rollouts(LingbotError(reason, ErrorCode.SESSION_CLOSED), session_id)
