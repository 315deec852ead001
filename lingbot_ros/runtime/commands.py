"""Inputs of a source other than a setpoint (`Control`): a velocity, or a plan. All are frozen."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.control.motion import Motion, Values
from lingbot_ros.runtime.enums import ControlSource, ControlState
from lingbot_ros.runtime.records import Control


@dataclass(frozen=True)
class Velocity:
    """Rates in the units of the model's motion (`control.motion`), from the session's state when they are used.

    received_s: `time.monotonic()` at its arrival. level: see `CameraMotion.advance`. start: from where, in a session
    without a known state; None = the motion's rest.
    """

    rates: NDArray[np.float64]
    source: ControlSource
    received_s: float
    stamp_ns: int = 0
    level: bool = False
    start: Values | None = None

    def control(self, values: Values, state: ControlState = ControlState.FRESH) -> Control:
        """The control that results from these rates."""
        return Control(values, self.source, self.received_s, stamp_ns=self.stamp_ns, state=state)


@dataclass(frozen=True)
class Plan:
    """A complete trajectory of one source: one setpoint per frame, in order; at least one.

    over: how many of them lie in the past. begin_s: `time.monotonic()` from which on it counts; before it waits.
    """

    controls: tuple[Control, ...]
    over: int = 0
    begin_s: float = -math.inf

    @property
    def source(self) -> ControlSource:
        return self.controls[0].source

    @property
    def received_s(self) -> float:
        return self.controls[0].received_s

    @property
    def stamp_ns(self) -> int:
        return self.controls[0].stamp_ns

    @property
    def is_pose(self) -> bool:
        return self.controls[0].is_pose


ControlInput = Control | Velocity | Plan


@dataclass(frozen=True)
class MotionState:
    """Control state of a session: the control of its last frame, None if there was none, and how it continues."""

    motion: Motion
    values: Values | None

    def start(self, otherwise: Values | None = None) -> Values:
        """The last control, or its initial value before the first one."""
        if self.values is not None:
            return self.values
        return self.motion.rest() if otherwise is None else otherwise


def held(control: Control) -> Control:
    """The same control, marked as stale."""
    return replace(control, state=ControlState.HELD)
