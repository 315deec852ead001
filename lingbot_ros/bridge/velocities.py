"""Velocity messages -> body twists (vx, vy, vz, wx, wy, wz) in m/s and rad/s, checked where they come in."""

from collections.abc import Sequence

import numpy as np
from geometry_msgs.msg import Twist
from numpy.typing import NDArray
from sensor_msgs.msg import Joy

from lingbot_ros.control.keys import KNOWN_KEYS
from lingbot_ros.errors import InputError

Twist6 = NDArray[np.float64]
FASTEST_M_S, FASTEST_RAD_S = 1000.0, 100.0


def twist_values(message: Twist, field: str) -> Twist6:
    """Raises InputError naming the component that is not finite, or faster than anything that drives."""
    linear, angular = message.linear, message.angular
    values = {
        "linear.x": linear.x, "linear.y": linear.y, "linear.z": linear.z,
        "angular.x": angular.x, "angular.y": angular.y, "angular.z": angular.z,
    }  # fmt: skip
    for name, value in values.items():
        fastest = FASTEST_M_S if name.startswith("linear") else FASTEST_RAD_S
        if not abs(value) <= fastest:  # also catches NaN
            raise InputError(f"{field}.{name}", value, f"give a finite number from {-fastest:g} to {fastest:g}")
    return np.array(list(values.values()))


def moved_twist(twist: Twist6, to_camera: NDArray[np.float64]) -> Twist6:
    """The twist of camera_link, in its axes, of a rigid body whose other frame moves with `twist`.

    to_camera: T_camera_frame [4, 4], coordinates of that frame -> camera_link.
    """
    rotation = to_camera[:3, :3]
    camera_in_frame = -rotation.T @ to_camera[:3, 3]
    velocity, turn = twist[:3], twist[3:]
    return np.concatenate((rotation @ (velocity + np.cross(turn, camera_in_frame)), rotation @ turn))


def joy_values(message: Joy, axes: Sequence[int], scale: Sequence[float]) -> Twist6:
    """Component i of the twist is `scale[i] * message.axes[axes[i]]`, 0 where axes[i] is -1. Raises InputError."""
    twist = np.zeros(6)
    for component, axis in enumerate(axes):
        if axis < 0:
            continue
        if axis >= len(message.axes):
            raise InputError("joy.axes", f"{len(message.axes)} axes", f"input.joy.axes needs axis {axis}; change it")
        value = message.axes[axis]
        if not np.isfinite(value):
            raise InputError(f"joy.axes[{axis}]", value, "give a finite number")
        fastest = FASTEST_M_S if component < 3 else FASTEST_RAD_S
        twist[component] = min(max(scale[component] * value, -fastest), fastest)
    return twist


def is_enabled(message: Joy, button: int) -> bool:
    """Whether the dead-man's button is down; -1 = there is none. Raises InputError when the device lacks it."""
    if button < 0:
        return True
    if button >= len(message.buttons):
        fix = f"input.joy.enable_button needs button {button}; change it"
        raise InputError("joy.buttons", f"{len(message.buttons)} buttons", fix)
    return bool(message.buttons[button])


def keys_values(down: str, speed: float, turn_rate: float) -> Twist6:
    """WASD moves, IJKL looks; opposite keys cancel. Raises InputError for a character that is no such key."""
    for key in down:
        if key not in KNOWN_KEYS:
            raise InputError("keys", repr(key), f"name the keys that are down, of {' '.join(KNOWN_KEYS)}; empty = none")

    def axis(positive: str, negative: str) -> int:
        return (positive in down) - (negative in down)

    # Looking up turns about -y, to the left about +z.
    move = [speed * axis("w", "s"), speed * axis("a", "d"), 0.0]
    return np.array([*move, 0.0, turn_rate * axis("k", "i"), turn_rate * axis("j", "l")])
