"""Keys -> camera poses: WASD moves, IJKL looks, integrated over the time that each was really down (model_spec 6.3)."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lingbot_ros.control.poses import Poses
from lingbot_ros.errors import InputError
from lingbot_ros.model.config import KEYS
from lingbot_ros.model.geometry import TEMPORAL_STRIDE

KNOWN_KEYS = "wasdijkl"


@dataclass(frozen=True)
class KeySpeeds:
    """How fast keys move the camera. The defaults are the released 0.05 units and 2 degrees per frame at 16 fps."""

    move_per_s: float = 0.8
    turn_deg_per_s: float = 32.0
    pitch_limit_deg: float = 85.0


@dataclass(frozen=True)
class KeyEdge:
    """A key went down or up at `time_s` of the camera's own clock, which begins at 0 with its first pose."""

    time_s: float
    key: str
    is_down: bool


class KeyCamera:
    """A camera that keys drive. Poses are OpenCV camera-to-world; it starts at the identity, level and upright.

    `w` and `s` move along the horizontal part of the viewing direction, `a` and `d` across it; `i` and `k` look up and
    down, `j` and `l` turn left and right. There is no vertical motion. Opposite keys cancel.
    """

    def __init__(self, fps: float, speeds: KeySpeeds | None = None) -> None:
        self._fps, self._speeds = fps, speeds or KeySpeeds()
        self._edges: list[KeyEdge] = []
        self._down: set[str] = set()
        self._frame = 0
        self._yaw_deg = self._pitch_deg = 0.0
        self._position = np.zeros(3)

    @property
    def time_s(self) -> float:
        """Where its clock stands: the time of the last pose."""
        return self._frame / self._fps

    @property
    def pose(self) -> Poses:
        """The current pose, [4, 4]."""
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = self._rotation(), self._position
        return pose

    def press(self, edge: KeyEdge) -> None:
        """Note an edge; one that lies before the last pose counts from there. Raises InputError for an unknown key."""
        if edge.key not in KNOWN_KEYS or len(edge.key) != 1:
            raise InputError("key", repr(edge.key), f"use one of {' '.join(KNOWN_KEYS)}")
        self._edges.append(edge)
        self._edges.sort(key=lambda each: each.time_s)

    def advance(self, frames: int) -> Poses:
        """Poses at the ends of the next `frames` frame intervals, [frames, 4, 4]. A tap of 30 ms moves 30 ms worth."""
        poses = []
        for _ in range(frames):
            now_s, end_s = self.time_s, (self._frame + 1) / self._fps
            while self._edges and self._edges[0].time_s < end_s:
                edge = self._edges.pop(0)
                until_s = max(edge.time_s, now_s)
                self._integrate(until_s - now_s)
                now_s = until_s
                (self._down.add if edge.is_down else self._down.discard)(edge.key)
            self._integrate(end_s - now_s)
            self._frame += 1
            poses.append(self.pose)
        return np.stack(poses) if poses else np.empty((0, 4, 4))

    def _integrate(self, duration_s: float) -> None:
        if duration_s <= 0:
            return
        speeds = self._speeds
        turn = speeds.turn_deg_per_s * duration_s
        self._yaw_deg += turn * self._axis("l", "j")
        pitch = self._pitch_deg + turn * self._axis("i", "k")
        self._pitch_deg = min(max(pitch, -speeds.pitch_limit_deg), speeds.pitch_limit_deg)
        yaw = math.radians(self._yaw_deg)
        forward, right = np.array([math.sin(yaw), 0, math.cos(yaw)]), np.array([math.cos(yaw), 0, -math.sin(yaw)])
        move = speeds.move_per_s * duration_s
        self._position = self._position + move * (self._axis("w", "s") * forward + self._axis("d", "a") * right)

    def _axis(self, positive: str, negative: str) -> int:
        return (positive in self._down) - (negative in self._down)

    def _rotation(self) -> NDArray[np.float64]:
        yaw, _ = cv2.Rodrigues(np.array([0, math.radians(self._yaw_deg), 0]))
        pitch, _ = cv2.Rodrigues(np.array([math.radians(self._pitch_deg), 0, 0]))
        return np.asarray(yaw @ pitch)


MOST_FRAMES = 20_000
"""Of a script: twenty minutes."""
_DIGITS = 9


def parse_key_script(script: str) -> list[frozenset[str]]:
    """`w-8,wl-16,none-12` -> the keys down in each frame, idle frames appended until poses make 4n + 1.

    Raises InputError naming the part that is not `keys-count`.
    """
    frames: list[frozenset[str]] = []
    for part in script.split(","):
        keys, _, count = part.strip().partition("-")
        if (
            not count.isdecimal()
            or not count.strip("0")
            or (keys != "none" and (not keys or set(keys) - set(KNOWN_KEYS)))
        ):
            fix = f"write keys-count parts like w-10,iw-15,none-10; keys are {' '.join(KNOWN_KEYS)} or none"
            raise InputError("keys", repr(part.strip()), fix)
        if len(count) > _DIGITS or len(frames) + int(count) > MOST_FRAMES:
            raise InputError("keys", repr(part.strip()[:40]), f"give at most {MOST_FRAMES} frames in all")
        frames += [frozenset() if keys == "none" else frozenset(keys)] * int(count)
    return frames + [frozenset()] * (-len(frames) % TEMPORAL_STRIDE)


def script_poses(frames: Iterable[frozenset[str]], speeds: KeySpeeds | None = None, fps: float = 16.0) -> Poses:
    """Poses [n + 1, 4, 4] of n frames of keys; the first is the identity."""
    camera = KeyCamera(fps, speeds)
    poses = [camera.pose[None]]
    down: frozenset[str] = frozenset()
    for keys in frames:
        for key in down ^ keys:
            camera.press(KeyEdge(camera.time_s, key, key in keys))
        poses.append(camera.advance(1))
        down = keys
    return np.concatenate(poses)


def move_keys(frames: Iterable[frozenset[str]]) -> NDArray[np.float64]:
    """The rows w, a, s, d of 0 and 1, [n + 1, 4], that models with key channels take beside `script_poses`.

    The first row, of the starting pose, is that of the first frame.
    """
    rows = [[float(key in keys) for key in KEYS] for keys in frames]
    return np.array([rows[0], *rows])
