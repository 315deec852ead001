"""Realtime: what each source asks for now, turned into the controls of a chunk."""

import math
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from lingbot_ros.runtime.commands import ControlInput, MotionState, Plan, Velocity, held
from lingbot_ros.runtime.enums import ControlState
from lingbot_ros.runtime.records import Control

# A share of a velocity that nobody sees any more.
_REST = 1e-3
# Setpoints between two chunks; a source that sends more has the oldest of them skipped.
_WAITING = 512


class SetpointStream:
    """Poses are travelled through in order, to be at the newest at the chunk's end; of actions the newest counts."""

    def __init__(self, control: Control) -> None:
        self._waiting: deque[Control] = deque(maxlen=_WAITING)
        self._newest = control
        self.put(control)

    def put(self, control: Control) -> int:
        """Returns how many setpoints this one overtakes, so that no frame will use them."""
        overtaken = len(self._waiting) if control.values.ndim == 1 else len(self._waiting) == _WAITING
        if control.values.ndim == 1:
            self._waiting.clear()
        self._newest = control
        self._waiting.append(control)
        return int(overtaken)

    def give(self, count: int, motion_state: MotionState, stale_s: float, decay_s: float | None) -> Sequence[Control]:
        del decay_s  # a place has no speed that could fade
        through = [control.values for control in self._waiting] or [self._newest.values]
        self._waiting.clear()
        newest = self._newest if stale_s <= 0 else held(self._newest)
        places = motion_state.motion.travel(motion_state.start(through[0]), through, count)
        return [replace(newest, values=values) for values in places]

    def skip(self, count: int) -> int:
        """Another source drives: only the newest setpoint stays of interest. Returns how many were overtaken."""
        overtaken = max(0, len(self._waiting) - 1)
        while len(self._waiting) > 1:
            self._waiting.popleft()
        return overtaken

    @property
    def unused(self) -> int:
        return len(self._waiting)

    def fresh_until_s(self, timeout_s: float) -> float:
        return self._newest.received_s + timeout_s


class VelocityStream:
    """The newest velocity, integrated from where the session stands; a stale one is zero, or fades."""

    def __init__(self, velocity: Velocity) -> None:
        self._newest, self.unused, self._released_s = velocity, 1, math.inf

    def put(self, velocity: Velocity) -> int:
        overtaken, self._newest, self.unused, self._released_s = self.unused, velocity, 1, math.inf
        return overtaken

    def release(self) -> None:
        """The source let go: its velocity is stale from now on."""
        self._released_s = min(self._released_s, time.monotonic())

    def give(self, count: int, motion_state: MotionState, stale_s: float, decay_s: float | None) -> Sequence[Control]:
        self.unused = 0
        controls, values = [], motion_state.start(self._newest.start)
        period_s = motion_state.motion.period_s
        for frame in range(count):
            share, state = _share(stale_s, decay_s, frame * period_s)
            if share:
                values = motion_state.motion.advance(values, share * self._newest.rates, level=self._newest.level)
            else:
                values = motion_state.motion.stand(values)
            controls.append(self._newest.control(values, state))
        return controls

    def skip(self, count: int) -> int:
        return 0

    def fresh_until_s(self, timeout_s: float) -> float:
        return min(self._newest.received_s + timeout_s, self._released_s)


class PlanStream:
    """A plan is gone through frame by frame, fresh as long as it lasts; then its end is held. A newer replaces it."""

    def __init__(self, plan: Plan) -> None:
        self._plan, self._next, self._ended_s = plan, plan.over, math.inf

    def put(self, plan: Plan) -> int:
        overtaken = self.unused
        self._plan, self._next, self._ended_s = plan, plan.over, math.inf
        return overtaken

    def give(self, count: int, motion_state: MotionState, stale_s: float, decay_s: float | None) -> Sequence[Control]:
        del decay_s
        coming = list(self._plan.controls[self._next : self._next + count])
        self.skip(count)
        end = self._plan.controls[-1]
        return coming + [end if not coming and stale_s <= 0 else held(end)] * (count - len(coming))

    def skip(self, count: int) -> int:
        """Another source drives: imagined time goes on, and with it the plan."""
        before, self._next = self._next, min(self._next + count, len(self._plan.controls))
        if not self.unused:
            self._ended_s = min(self._ended_s, time.monotonic())
        return self._next - before

    @property
    def unused(self) -> int:
        return len(self._plan.controls) - self._next

    def fresh_until_s(self, timeout_s: float) -> float:
        return self._ended_s + timeout_s


Stream = SetpointStream | VelocityStream | PlanStream


def new_stream(offer: ControlInput) -> Stream:
    """The stream that begins with this offer."""
    if isinstance(offer, Velocity):
        return VelocityStream(offer)
    return PlanStream(offer) if isinstance(offer, Plan) else SetpointStream(offer)


def _share(stale_s: float, decay_s: float | None, ahead_s: float) -> tuple[float, ControlState]:
    """How much of a velocity counts, `ahead_s` after the beginning of a chunk at which it was stale since `stale_s`."""
    if stale_s <= 0:
        return 1.0, ControlState.FRESH
    if decay_s is None:
        return 0.0, ControlState.STOPPED
    share = math.exp(-(stale_s + ahead_s) / decay_s) if decay_s > 0 else 0.0
    return (share, ControlState.DECAYED) if share > _REST else (0.0, ControlState.STOPPED)
