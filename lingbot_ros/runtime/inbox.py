"""Controls for the active session: the newest of each source in realtime, a queue in order in lockstep."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lingbot_ros.errors import ErrorCode, SessionError
from lingbot_ros.runtime.arbiter import PRIORITY, Arbiter
from lingbot_ros.runtime.commands import ControlInput, MotionState, Velocity
from lingbot_ros.runtime.control_history import ControlHistory
from lingbot_ros.runtime.control_times import ExpectedImage
from lingbot_ros.runtime.enums import ControlSource, Mode
from lingbot_ros.runtime.lockstep_queue import LockstepQueue
from lingbot_ros.runtime.records import Control
from lingbot_ros.text_enum import TextEnum


class StalePolicy(TextEnum):
    """What happens in realtime when no source has given a control for longer than the limit.

    HOLD and DECAY repeat the last action or pose; a velocity becomes zero (HOLD) or decays. STOP: no frames.
    """

    HOLD = "hold"
    DECAY = "decay"
    STOP = "stop"


@dataclass(frozen=True)
class InboxCounts:
    """Totals since the inbox was created."""

    received: int
    replaced: int
    waiting: int


class ControlInbox:
    """Thread-safe queue of controls. Any thread puts, the worker takes.

    Realtime: `take(n)` repeats the control of the selected source (see `Arbiter`); when all are older than
    `timeout_s`, the policy applies. Before the first control `take` returns None.
    Lockstep: `take(n)` returns n controls in the order of arrival, or None.
    """

    def __init__(
        self,
        mode: Mode,
        *,
        capacity: int,
        timeout_s: float,
        stale: StalePolicy,
        decay_s: float = 0.5,
        priority: Sequence[ControlSource] = PRIORITY,
    ) -> None:
        self._mode, self._stale, self.timeout_s = mode, stale, timeout_s
        self._lock = threading.Lock()
        self._queue = LockstepQueue(capacity)
        self._arbiter = Arbiter(timeout_s, decay_s if stale is StalePolicy.DECAY else None, priority)
        self._history = ControlHistory(timeout_s, priority)
        self._session_id = ""
        self._last_arrival_s: float | None = None
        self._received = self._replaced = 0

    def require_served(self, session_id: str) -> None:
        """Raises SessionError (UNKNOWN_SESSION) unless controls of this session, "" = of any, are taken now."""
        if session_id not in ("", self._session_id):
            raise SessionError(
                f"action.session_id: got '{session_id}'; the topic drives the active session '{self._session_id}', "
                "use ~/step or ~/imagine for others",
                ErrorCode.UNKNOWN_SESSION,
            )

    def put(self, offer: ControlInput, session_id: str = "") -> None:
        """Add a control of this session; "" = of whichever is active.

        Raises SessionError as `require_served`, and LingbotError (BUSY) when the queue of lockstep is full; accepted
        controls are kept.
        """
        with self._lock:
            self.require_served(session_id)  # together with `serve`: a late control must not drive the next session
            if self._mode is Mode.LOCKSTEP:
                self._queue.put(offer)
            else:
                self._replaced += self._arbiter.put(offer)
                self._history.put(offer)
            self._received += 1
            self._last_arrival_s = offer.received_s

    def release(self, source: ControlSource) -> None:
        """Realtime: the dead-man's switch of a source was released; its control is stale from now on."""
        with self._lock:
            self._arbiter.release(source)

    def take(self, count: int, motion_state: MotionState) -> Sequence[Control] | None:
        """Controls for a chunk of `count` frames from the session's motion state, or None if there are none yet."""
        with self._lock:
            if self._mode is Mode.LOCKSTEP:
                return self._queue.take(count, motion_state)
            if not self._would_drive():
                return None
            controls, overtaken = self._arbiter.give(count, motion_state)
            self._replaced += overtaken
            return controls

    def would_give(self, count: int) -> bool:
        """Whether `take(count)` would return controls now."""
        with self._lock:
            return len(self._queue) >= count if self._mode is Mode.LOCKSTEP else self._would_drive()

    def expected_images(self, count: int, period_ns: int) -> Sequence[ExpectedImage]:
        """Lockstep: when the images are taken that the next `count` controls lead to; as many must wait."""
        with self._lock:
            return self._queue.expected_images(count, period_ns)

    def controls_before(
        self, stamps_ns: Sequence[int], period_ns: int, motion_state: MotionState
    ) -> list[Control | None]:
        """Realtime: the control that led to each of successive images; None = there is none.

        Velocities are integrated from the session's motion state, frame by frame.
        """
        found: list[Control | None] = []
        with self._lock:
            for stamp_ns in stamps_ns:
                control = self._history.find(stamp_ns, period_ns)
                if isinstance(control, Velocity):
                    control = control.control(
                        motion_state.motion.advance(
                            motion_state.start(control.start), control.rates, level=control.level
                        )
                    )
                found.append(control)
                motion_state = motion_state if control is None else replace(motion_state, values=control.values)
        return found

    def skip(self, count: int) -> None:
        """Realtime: `count` frames were made without the controls in this inbox."""
        with self._lock:
            self._replaced += self._arbiter.skip(count)

    def serve(self, session_id: str) -> None:
        """From now on controls are for this session, "" = none; those that wait were for the one before."""
        with self._lock:
            self._session_id = session_id
            self._drop_all()

    def clear(self) -> None:
        """Drop all controls, because they are unusable."""
        with self._lock:
            self._drop_all()

    def age_s(self) -> float:
        """Seconds since the last control arrived; NaN if there was none."""
        with self._lock:
            return float("nan") if self._last_arrival_s is None else time.monotonic() - self._last_arrival_s

    def counts(self) -> InboxCounts:
        with self._lock:
            return InboxCounts(self._received, self._replaced, len(self._queue))

    def _drop_all(self) -> None:
        self._history.clear()
        self._replaced += self._queue.clear() + self._arbiter.clear()

    def _would_drive(self) -> bool:
        return len(self._arbiter) > 0 and (self._stale is not StalePolicy.STOP or self._arbiter.is_fresh())
