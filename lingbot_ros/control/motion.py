"""From where a session stands to its next controls: velocities integrated, setpoints travelled to."""

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.checkpoints.cards import ControlSpec
from lingbot_ros.control.axes import BODY_FROM_OPTICAL
from lingbot_ros.control.poses import interpolate_poses
from lingbot_ros.control.rigid import exponential

Values = NDArray[np.float64]
"""One frame's control: an action [dim], or a camera-to-world pose [4, 4] in optical axes, maybe with a row of keys."""

PITCH_LIMIT = math.radians(85.0)


class Motion(Protocol):
    """How the controls of one kind of model move on. Nothing is remembered between calls."""

    period_s: float

    def rest(self) -> Values:
        """Initial value of a session that has received no control."""
        ...

    def advance(self, values: Values, rates: NDArray[np.float64], *, level: bool) -> Values:
        """After one frame with these rates; `level` has a meaning for cameras only."""
        ...

    def stand(self, values: Values) -> Values:
        """The control of a frame without motion, from where the last one ended."""
        ...

    def travel(self, start: Values, through: Sequence[Values], frames: int) -> list[Values]:
        """The controls of `frames` frames that lead from `start` through the given ones and end at the last."""
        ...


class CameraMotion:
    """Poses. Rates are body twists of camera_link (x forward, y left, z up): m/s, rad/s."""

    def __init__(self, fps: float) -> None:
        self.period_s = 1.0 / fps

    def rest(self) -> Values:
        """The identity pose of camera_link."""
        return _to_optical(np.eye(4))

    def advance(self, values: Values, rates: NDArray[np.float64], *, level: bool) -> Values:
        """The exact step of a constant twist. `level`: linear rates and yaw in the horizontal plane of the map.

        A level camera pitches within 85 degrees and keeps its roll, as a person who looks around does.
        """
        body, twist = _to_body(values), rates * self.period_s
        if not level:
            return _to_optical(body @ exponential(twist))
        yaw, pitch, roll = _yaw_pitch_roll(body[:3, :3])
        horizontal = exponential((0, 0, 0, 0, 0, yaw))
        horizontal[:3, 3] = body[:3, 3]
        tilt = max(-PITCH_LIMIT, min(PITCH_LIMIT, pitch + twist[4])) if twist[4] else pitch
        moved = horizontal @ exponential((*twist[:3], 0, 0, twist[5]))
        return _to_optical(moved @ exponential((0, 0, 0, 0, tilt, 0)) @ exponential((0, 0, 0, roll, 0, 0)))

    def stand(self, values: Values) -> Values:
        return values

    def travel(self, start: Values, through: Sequence[Values], frames: int) -> list[Values]:
        """At even steps along the poses in their order; as many poses as frames are taken as they are."""
        if len(through) == frames:
            return list(through)
        path = np.stack([start, *through])
        return list(interpolate_poses(path, np.linspace(0, len(through), frames + 1)[1:]))


class KeyedCameraMotion:
    """Poses with a fifth row of the keys w, a, s, d, for models that see both.

    A velocity presses the keys of its direction: forward, left, back, right.
    """

    def __init__(self, fps: float) -> None:
        self._camera = CameraMotion(fps)
        self.period_s = self._camera.period_s

    def rest(self) -> Values:
        """The identity pose of camera_link, no key pressed."""
        return with_keys(self._camera.rest(), np.zeros(4))

    def advance(self, values: Values, rates: NDArray[np.float64], *, level: bool) -> Values:
        forward, left = rates[:2]
        keys = np.array([forward > 0, left > 0, forward < 0, left < 0], np.float64)
        return with_keys(self._camera.advance(values[:4], rates, level=level), keys)

    def stand(self, values: Values) -> Values:
        """The same pose, no key pressed."""
        return with_keys(values[:4], np.zeros(4))

    def travel(self, start: Values, through: Sequence[Values], frames: int) -> list[Values]:
        """Poses as of a camera without keys; on the way to a pose its keys are pressed."""
        poses = self._camera.travel(start[:4], [values[:4] for values in through], frames)
        places = np.linspace(0, len(through), frames + 1)[1:]
        return [with_keys(pose, through[math.ceil(at) - 1][4]) for pose, at in zip(poses, places, strict=True)]


def with_keys(pose: Values, keys: NDArray[np.float64]) -> Values:
    """A pose [4, 4] and keys [4] as one control [5, 4]."""
    return np.vstack([pose, keys])


class ActionMotion:
    """Actions. Rates are in units of each component per second; what they reach stays within the model's limits."""

    def __init__(self, spec: ControlSpec, fps: float) -> None:
        self._low, self._high = np.array(spec.low, np.float64), np.array(spec.high, np.float64)
        self.period_s = 1.0 / fps

    def rest(self) -> Values:
        """The middle of the limits, because the real position of the robot is unknown."""
        return np.asarray((self._low + self._high) / 2)

    def advance(self, values: Values, rates: NDArray[np.float64], *, level: bool) -> Values:
        return np.clip(values + rates * self.period_s, self._low, self._high)

    def stand(self, values: Values) -> Values:
        return values

    def travel(self, start: Values, through: Sequence[Values], frames: int) -> list[Values]:
        """The newest action, for all frames: policies decide what lies between."""
        return [through[-1]] * frames


def motion_of(spec: ControlSpec, fps: float) -> Motion:
    """The motion of a model's kind of control."""
    if spec.takes_keys:
        return KeyedCameraMotion(fps)
    return CameraMotion(fps) if spec.kind == "camera" else ActionMotion(spec, fps)


def _to_body(pose: Values) -> Values:
    body = pose.copy()
    body[:3, :3] = pose[:3, :3] @ BODY_FROM_OPTICAL.T
    return body


def _to_optical(body: Values) -> Values:
    pose = body.copy()
    pose[:3, :3] = body[:3, :3] @ BODY_FROM_OPTICAL
    return pose


def _yaw_pitch_roll(rotation: Values) -> tuple[float, float, float]:
    yaw = math.atan2(rotation[1, 0], rotation[0, 0])
    pitch = math.atan2(-rotation[2, 0], math.hypot(rotation[0, 0], rotation[1, 0]))
    return yaw, pitch, math.atan2(rotation[2, 1], rotation[2, 2])
