"""What a pilot may answer: keys, a velocity or waypoints for the next seconds. Checked, then held within limits."""

import math
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lingbot_ros.control.rigid import exponential, inverse, logarithm
from lingbot_ros.errors import InputError

Control = Literal["keys", "velocity", "waypoints"]
CONTROLS: tuple[Control, ...] = ("keys", "velocity", "waypoints")

_MOST_WAYPOINTS = 16
_LONGEST_NOTE = 1000
_FAR_M, _FAST = 1e4, 1e4


@dataclass(frozen=True)
class Velocity:
    """Of the robot's body: forward and left in m/s, turn (to the left) in rad/s."""

    forward: float = 0.0
    left: float = 0.0
    turn: float = 0.0


@dataclass(frozen=True)
class Limits:
    """What a decision is cut down to, and how fast a velocity may change."""

    duration_s: float = 3.0
    speed_m_s: float = 0.8
    turn_rate_rad_s: float = 0.56
    acceleration_m_s2: float = 2.0
    turn_acceleration_rad_s2: float = 4.0


@dataclass(frozen=True)
class Segment:
    """A command and how long it holds."""

    command: str | Velocity
    duration_s: float


@dataclass(frozen=True)
class Decision:
    """Segments in order; keys are texts such as "wl". seen: what the model says that it sees."""

    segments: tuple[Segment, ...]
    seen: str


_Seconds = Annotated[float, Field(gt=0, le=3600, description="how long to do this, s")]


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    seen: str = Field(max_length=_LONGEST_NOTE, description="what you see and why you decide so, one sentence")


class _Keys(_Answer):
    keys: str = Field(
        pattern="^[wasdijkl]{0,4}$",
        description="keys held down: w ahead, s back, a left, d right, j turn left, l turn right, i look up, k look "
        'down; "" = stand still',
    )
    seconds: _Seconds


class _Velocity(_Answer):
    forward: float = Field(ge=-_FAST, le=_FAST, description="m/s, negative = back")
    left: float = Field(ge=-_FAST, le=_FAST, description="m/s, negative = right")
    turn: float = Field(ge=-_FAST, le=_FAST, description="rad/s, positive = to the left")
    seconds: _Seconds


class _Waypoint(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    ahead: float = Field(ge=-_FAR_M, le=_FAR_M, description="m from where the robot is now")
    left: float = Field(ge=-_FAR_M, le=_FAR_M, description="m from where the robot is now")
    heading: float = Field(ge=-math.pi, le=math.pi, description="rad from its present heading, positive = left")


class _Waypoints(_Answer):
    waypoints: list[_Waypoint] = Field(min_length=1, max_length=_MOST_WAYPOINTS)
    seconds: _Seconds


_ANSWERS: dict[Control, type[_Answer]] = {"keys": _Keys, "velocity": _Velocity, "waypoints": _Waypoints}


def schema(control: Control) -> dict[str, Any]:
    """The JSON schema of an answer."""
    return _ANSWERS[control].model_json_schema()


def read_decision(answer: Any, control: Control, limits: Limits) -> Decision:
    """The decision in an answer that was read from JSON, within the limits.

    A velocity that is too fast becomes slower in the same direction. A way that is too fast takes longer. What lasts
    too long ends early. Raises InputError with every field that is wrong.
    """
    try:
        said = _ANSWERS[control].model_validate(answer)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc'])) or 'answer'}: {fault['msg']}" for fault in error.errors()
        )
        raise InputError("answer", answer, f"follow the schema: {faults}") from error
    if isinstance(said, _Keys):
        segments = [Segment(said.keys, said.seconds)]
    elif isinstance(said, _Velocity):
        segments = [Segment(_slower(Velocity(said.forward, said.left, said.turn), limits), said.seconds)]
    else:
        assert isinstance(said, _Waypoints)
        segments = _along(said, limits)
    return Decision(tuple(_cut(segments, limits.duration_s)), said.seen)


def ramp(present: Velocity, wanted: Velocity, period_s: float, limits: Limits) -> Velocity:
    """The velocity after `period_s` on the way from the present to the wanted one."""
    change = np.array([wanted.forward - present.forward, wanted.left - present.left])
    share = min(1.0, limits.acceleration_m_s2 * period_s / max(float(np.hypot(*change)), 1e-12))
    most = limits.turn_acceleration_rad_s2 * period_s
    turn = present.turn + min(max(wanted.turn - present.turn, -most), most)
    return Velocity(present.forward + share * float(change[0]), present.left + share * float(change[1]), turn)


def _along(said: _Waypoints, limits: Limits) -> list[Segment]:
    """The velocities that lead through the waypoints, in equal times unless one of them would be too fast."""
    time_s = said.seconds / len(said.waypoints)
    segments, here = [], np.eye(4)
    for waypoint in said.waypoints:
        there = _pose(waypoint)
        twist = logarithm(inverse(here) @ there) / time_s
        wanted = Velocity(float(twist[0]), float(twist[1]), float(twist[5]))
        excess = _excess(wanted, limits)
        segments.append(Segment(_scaled(wanted, 1 / excess), time_s * excess))
        here = there
    return segments


def _pose(waypoint: _Waypoint) -> NDArray[np.float64]:
    pose = exponential([0.0, 0.0, 0.0, 0.0, 0.0, waypoint.heading])
    pose[:2, 3] = waypoint.ahead, waypoint.left
    return pose


def _slower(velocity: Velocity, limits: Limits) -> Velocity:
    return _scaled(velocity, 1 / _excess(velocity, limits))


def _excess(velocity: Velocity, limits: Limits) -> float:
    """How many times the limits a velocity is; 1 within them."""
    speed = math.hypot(velocity.forward, velocity.left) / limits.speed_m_s
    return max(1.0, speed, abs(velocity.turn) / limits.turn_rate_rad_s)


def _scaled(velocity: Velocity, share: float) -> Velocity:
    return Velocity(velocity.forward * share, velocity.left * share, velocity.turn * share)


def _cut(segments: list[Segment], most_s: float) -> list[Segment]:
    kept, left_s = [], most_s
    for segment in segments:
        if left_s <= 0:
            break
        kept.append(Segment(segment.command, min(segment.duration_s, left_s)))
        left_s -= segment.duration_s
    return kept
