"""Action strings as the official code reads them (model_spec 6.2): `w-8,wl-16,i-8,none-12`.

For films that are to be compared with official ones. Live driving has keys of its own (`control.keys`).
"""

import math
import re
from collections.abc import Iterable

import numpy as np

from lingbot_ros.control.keys import KNOWN_KEYS, MOST_FRAMES
from lingbot_ros.control.poses import Poses
from lingbot_ros.errors import InputError
from lingbot_ros.model.geometry import TEMPORAL_STRIDE

_MOVE = 0.05
_TURN_DEG = 2.0
_PITCH_LIMIT_DEG = 85.0
_PART = re.compile(r"([a-z]+)-([0-9]{1,9})")


def parse_action_string(text: str) -> list[frozenset[str]]:
    """The keys down in each frame; idle frames are appended until there are 4n + 1.

    Capitals, blanks and full-width commas are as good. Raises InputError naming the part that is not `KEYS-COUNT`.
    """
    frames: list[frozenset[str]] = []
    for part in "".join(text.lower().split()).replace("，", ",").split(","):
        found = _PART.fullmatch(part)
        keys = frozenset("" if found is None or found[1] == "none" else found[1])
        if found is None or keys - set(KNOWN_KEYS) or not int(found[2]):
            fix = f"write KEYS-COUNT parts like w-10,iw-15,none-10; keys are {' '.join(KNOWN_KEYS)} or none"
            raise InputError("action string", repr(part[:40]), fix)
        if len(frames) + int(found[2]) > MOST_FRAMES:
            raise InputError("action string", repr(part), f"give at most {MOST_FRAMES} frames in all")
        frames += [keys] * int(found[2])
    return frames + [frozenset()] * ((1 - len(frames)) % TEMPORAL_STRIDE)


def action_string_poses(frames: Iterable[frozenset[str]]) -> Poses:
    """Camera-to-world poses [frames + 1, 4, 4], the identity first: of 4n + 1 frames there are 4n + 2.

    A frame turns by 2 degrees per turning key, unless that leaves 85 degrees of pitch, and then moves by 0.05 along the
    horizontal part of the viewing direction, in whatever direction of the eight.
    """
    poses, yaw, pitch, position = [np.eye(4)], 0.0, 0.0, np.zeros(3)
    for keys in frames:
        yaw += _TURN_DEG * (("l" in keys) - ("j" in keys))
        tilted = pitch + _TURN_DEG * (("i" in keys) - ("k" in keys))
        pitch = tilted if abs(tilted) <= _PITCH_LIMIT_DEG else pitch
        sin, cos = math.sin(math.radians(yaw)), math.cos(math.radians(yaw))
        ahead, right = ("w" in keys) - ("s" in keys), ("d" in keys) - ("a" in keys)
        if ahead or right:
            across = np.array([ahead * sin + right * cos, 0.0, ahead * cos - right * sin])
            position = position + _MOVE * across / math.hypot(ahead, right)
        pose = np.eye(4)
        up, level = math.sin(math.radians(pitch)), math.cos(math.radians(pitch))
        turn = np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
        pose[:3, :3] = turn @ np.array([[1, 0, 0], [0, level, -up], [0, up, level]])
        pose[:3, 3] = position
        poses.append(pose)
    return np.stack(poses)
