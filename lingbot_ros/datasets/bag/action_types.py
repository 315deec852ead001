"""Message types that can be a robot's action, and the numbers in them. No ROS: any object with the fields will do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.errors import InputError

Vector = NDArray[np.float64]

JOINT_FIELDS = ("position", "velocity", "effort")
"""What of a JointState can be the action."""

_AXES = ("x", "y", "z")


@dataclass(frozen=True)
class ActionType:
    """names: of the components, as far as the type or a message has some. vector: the numbers of a message."""

    names: Callable[[Any], tuple[str, ...]]
    vector: Callable[[Any], Vector]


def _numbered(message: Any, field: str) -> tuple[str, ...]:
    return tuple(f"a{n}" for n in range(len(getattr(message, field))))


def _twist_vector(twist: Any) -> Vector:
    return np.array([getattr(part, axis) for part in (twist.linear, twist.angular) for axis in _AXES], np.float64)


def _twist_names(_: Any) -> tuple[str, ...]:
    return tuple(f"{part}.{axis}" for part in ("linear", "angular") for axis in _AXES)


def _plain(field: str) -> ActionType:
    return ActionType(
        lambda message: _numbered(message, field), lambda message: np.array(getattr(message, field), np.float64)
    )


_SCALAR = ActionType(lambda _: ("a0",), lambda message: np.array([message.data], np.float64))

_TYPES = {
    "lingbot_msgs/msg/RobotAction": _plain("values"),
    "geometry_msgs/msg/Twist": ActionType(_twist_names, _twist_vector),
    "geometry_msgs/msg/TwistStamped": ActionType(_twist_names, lambda message: _twist_vector(message.twist)),
    "std_msgs/msg/Float64MultiArray": _plain("data"),
    "std_msgs/msg/Float32MultiArray": _plain("data"),
    "std_msgs/msg/Float64": _SCALAR,
    "std_msgs/msg/Float32": _SCALAR,
}
_JOINTS = "sensor_msgs/msg/JointState"

ACTION_TYPES = (*_TYPES, _JOINTS)
"""All that are understood."""


def action_type(kind: str, joint_field: str = "position") -> ActionType:
    """How to read messages of type `kind`. `joint_field`: what of a JointState. Raises InputError for other types."""
    if joint_field not in JOINT_FIELDS:
        raise InputError("joint field", joint_field, f"use one of {', '.join(JOINT_FIELDS)}")
    if kind == _JOINTS:
        return ActionType(
            lambda message: tuple(message.name), lambda message: np.array(getattr(message, joint_field), np.float64)
        )
    if kind not in _TYPES:
        raise InputError("action type", kind, f"give a topic of one of {', '.join(ACTION_TYPES)}")
    return _TYPES[kind]


class ActionColumn:
    """Collects the actions of a topic, message by message. The first message says which components there are."""

    def __init__(self, topic: str, kind: str, joint_field: str) -> None:
        self._topic, self._type, self._by_name = topic, action_type(kind, joint_field), kind == _JOINTS
        self.names: tuple[str, ...] = ()
        self._rows: list[Vector] = []

    def add(self, message: Any) -> bool:
        """False for a message without any value, which is no action: a session's first image has such a control.

        Raises InputError for a message with other components than the first, or with a value that is not finite.
        """
        vector, names = self._type.vector(message), self._type.names(message)
        if not len(vector) and not names:
            return False
        if not self.names:
            self.names = names
        if names != self.names:
            if not self._by_name or sorted(names) != sorted(self.names):
                fix = f"its first message has {list(self.names)}; give another topic"
                self._refuse(f"components {list(names)}", fix)
            if len(vector) == len(names):
                vector = vector[[names.index(name) for name in self.names]]
        if len(vector) != len(self.names) or not self.names:
            fix = "it has no values for its names; choose another field with --joint-field, or another topic"
            self._refuse(f"{len(vector)} values for {len(self.names)} names", fix)
        if not np.isfinite(vector).all():
            self._refuse(vector, "all values must be finite")
        self._rows.append(vector)
        return True

    def array(self) -> NDArray[np.float32]:
        """All actions so far, float32 [N, dim]."""
        return np.array(self._rows, np.float32).reshape(len(self._rows), len(self.names))

    def _refuse(self, value: object, fix: str) -> None:
        raise InputError(f"{self._topic}, message {len(self._rows)}", value, fix)


def rename(names: Sequence[str], wanted: Sequence[str]) -> tuple[str, ...]:
    """The components' names: those of the messages, or the `wanted` ones. Raises InputError for another count."""
    if wanted and (len(wanted) != len(names) or len(set(wanted)) != len(wanted)):
        raise InputError("names", ",".join(wanted), f"give {len(names)} different names: one for each component")
    return tuple(wanted) or tuple(names)
