"""Futures side by side: forks of the present that run on under different controls."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from lingbot_msgs.msg import FrameInfo, ModelInfo, SessionInfo
from lingbot_msgs.srv import EndSession, ForkSession, RestoreSession, SaveSession, StepSessions
from lingbot_ros.errors import ErrorCode, LingbotError
from lingbot_ros.nodes.viewer.controls import chunk_controls
from lingbot_ros.nodes.viewer.link import ImaginationLink
from lingbot_ros.viewer.driver import DrivingSeat

_LEASE_S = 300.0
_LOOK_S = 0.05
_ADOPTED = "viewer-adopted"


class Futures:
    """The forks of one comparison. They move on together while something is held on one of them.

    show: gets the stream, the image and the info of each frame.
    """

    def __init__(
        self,
        link: ImaginationLink,
        model: ModelInfo,
        seat: DrivingSeat,
        show: Callable[[int, Any, FrameInfo], None],
        notify: Callable[[str], None],
    ) -> None:
        self._link, self._model, self._seat, self._show, self._notify = link, model, seat, show, notify
        self._sessions: dict[int, SessionInfo] = {}
        self._last: dict[int, FrameInfo] = {}
        self._running: asyncio.Task[None] | None = None

    @property
    def count(self) -> int:
        return len(self._sessions)

    async def begin(self, count: int, present: FrameInfo | None) -> None:
        """Fork the active session `count` times. Raises LingbotError, and leaves no fork behind then."""
        try:
            for stream in range(1, count + 1):
                answer = await self._link.call(ForkSession, "fork_session", ForkSession.Request(lease=_LEASE_S))
                self._sessions[stream] = answer.session
                if present is not None:
                    self._last[stream] = present
        except BaseException:
            await self.end()
            raise
        self._running = asyncio.create_task(self._run())

    async def adopt(self, stream: int) -> SessionInfo:
        """Make a copy of one future the present. Raises LingbotError for a future that is not there."""
        request = ForkSession.Request(session_id=self._session_id(stream), activate=True)
        session: SessionInfo = (await self._link.call(ForkSession, "fork_session", request)).session
        return session

    async def adopt_in_place(self, stream: int, session_id: str) -> SessionInfo:
        """The same within the session `session_id`, as a simulator wants it: it has one session of its own."""
        save = SaveSession.Request(session_id=self._session_id(stream), path=_ADOPTED, overwrite=True)
        await self._link.call(SaveSession, "save_session", save)
        request = RestoreSession.Request(path=_ADOPTED, session_id=session_id)
        session: SessionInfo = (await self._link.call(RestoreSession, "restore_session", request)).session
        return session

    def last_info(self, stream: int) -> FrameInfo | None:
        """Info of the last frame of a future."""
        return self._last.get(stream)

    def _session_id(self, stream: int) -> str:
        if stream not in self._sessions:
            raise LingbotError(f"future: {stream} is not open", ErrorCode.UNKNOWN_SESSION)
        return str(self._sessions[stream].session_id)

    async def end(self) -> None:
        """End all forks. Those that cannot be ended now end by their lease."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
            self._running = None
        sessions, self._sessions = list(self._sessions.values()), {}
        for session in sessions:
            try:
                request = EndSession.Request(session_id=session.session_id)
                await self._link.call(EndSession, "end_session", request, timeout_s=5.0)
            except LingbotError:
                continue
        self._last.clear()

    async def _run(self) -> None:
        period_s = 1.0 / self._model.fps
        try:
            while True:
                started_s = time.monotonic()
                if not any(self._seat.held(stream, started_s) for stream in self._sessions):
                    await asyncio.sleep(_LOOK_S)
                    continue
                frames = await self._step(started_s)
                # A chunk is shown in the time that it depicts.
                await asyncio.sleep(max(0.0, started_s + frames * period_s - time.monotonic()))
        except LingbotError as error:
            self._notify(f"the futures have stopped: {error}")

    async def _step(self, now_s: float) -> int:
        """One chunk of every future; returns the number of frames."""
        streams = list(self._sessions)
        controls = [
            chunk_controls(
                self._model,
                self._last.get(stream),
                self._seat.held(stream, now_s),
                self._sessions[stream].next_chunk_frames,
            )
            for stream in streams
        ]
        ids = [self._sessions[stream].session_id for stream in streams]
        request = StepSessions.Request(session_ids=ids, controls=controls)
        answer = await self._link.call(StepSessions, "step_sessions", request)
        count = 0
        for stream, stepped in zip(streams, answer.sessions, strict=True):
            if stepped.error_code:
                self._notify(f"future {stream}: {stepped.error_msg}")
                continue
            self._sessions[stream], self._last[stream] = stepped.session, stepped.frames[-1]
            count = max(count, len(stepped.frames))
            for image, info in zip(stepped.images, stepped.frames, strict=True):
                self._show(stream, image, info)
        if count == 0:
            raise LingbotError("no future could be stepped", ErrorCode.SESSION_CLOSED)
        return count
