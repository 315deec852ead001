"""Message types that can be a robot's action, and the numbers in them. No ROS: any object with the fields will do."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.datasets.left_out import LeftOut
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
    """Collects the actions of a topic, message by message.

    The components are those that most messages have. The joints of JointStates are gathered from all messages: an arm
    and a gripper may publish their own on one topic. `components` limits which joints count.
    """

    def __init__(self, topic: str, kinds: Sequence[str], joint_field: str, components: Sequence[str] = ()) -> None:
        self._topic = topic
        self._types = {kind: action_type(kind, joint_field) for kind in kinds}
        self.by_joint = _JOINTS in kinds
        if self.by_joint and len(kinds) > 1:
            raise InputError(topic, f"messages of {', '.join(kinds)}", "give a topic of one type")
        self._components = tuple(components)
        self._rows: list[tuple[tuple[str, ...], Vector] | InputError | None] = []

    def add(self, message: Any) -> tuple[str, ...]:
        """The names of the components in a message, none for one that is no action or cannot be used."""
        row = message if isinstance(message, InputError) else self._row(message)
        self._rows.append(row)
        return row[0] if isinstance(row, tuple) else ()

    def finish(self, left_out: LeftOut) -> "Actions":
        """All that was added; what cannot be used is counted in `left_out`."""
        counts = Counter(row[0] for row in self._rows if isinstance(row, tuple))
        if self.by_joint:
            seen = tuple(dict.fromkeys(name for names in counts for name in names))
            names = tuple(name for name in seen if name in self._components or not self._components)
        else:
            names = max(counts, key=lambda names: counts[names], default=())
        place = {name: n for n, name in enumerate(names)}
        values = np.full((len(self._rows), len(names)), np.nan)
        states = np.full(len(self._rows), USABLE, np.int8)
        for number, row in enumerate(self._rows):
            if row is None:
                states[number] = IGNORED if self.by_joint else EMPTY
            elif isinstance(row, InputError):
                left_out.add(row)
                states[number] = BAD
            elif self.by_joint:
                for name, value in zip(*row, strict=True):
                    if name in place:
                        values[number, place[name]] = value
                states[number] = IGNORED if np.isnan(values[number]).all() else USABLE
            elif row[0] != names:
                fix = f"most messages have {list(names)}; give another topic"
                left_out.add(self._fault(number, f"components {list(row[0])}", fix))
                states[number] = BAD
            else:
                values[number] = row[1]
        return Actions(names, values, states)

    def _row(self, message: Any) -> tuple[tuple[str, ...], Vector] | InputError | None:
        kind = next(iter(self._types)) if len(self._types) == 1 else message.__msgtype__
        number = len(self._rows)
        try:
            names, vector = self._types[kind].names(message), self._types[kind].vector(message)
        except (AttributeError, TypeError, ValueError) as error:
            return self._fault(number, f"a {kind}", f"the bag defines it otherwise ({error}); give another topic")
        if not len(vector) and not names:
            return None
        if len(vector) != len(names) or len(set(names)) != len(names):
            fix = "it has no values for its names; choose another field with --joint-field, or another topic"
            return self._fault(number, f"{len(vector)} values for {len(names)} names", fix)
        if not (np.abs(vector) <= np.finfo(np.float32).max).all():
            return self._fault(number, vector, "all values must be finite, as numbers of 32 bits")
        return names, vector

    def _fault(self, number: int, value: object, fix: str) -> InputError:
        return InputError(f"{self._topic}, message {number}", value, fix)


USABLE, BAD, EMPTY, IGNORED = range(4)
"""What a message is: an action, one that cannot be used, one where an episode begins, one of other joints."""


@dataclass(frozen=True)
class Actions:
    """The messages of a topic. values: float64 [N, dim], NaN where a message does not say; states: int8 [N]."""

    names: tuple[str, ...]
    values: NDArray[np.float64]
    states: NDArray[np.int8]

    def filled(
        self, stamps: NDArray[np.int64], takes: NDArray[np.int64], longest_ns: int
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """(actions float32 [N, dim], whether each is known [N]): components that a message lacks keep their newest
        value of the same take, unless that is older than `longest_ns`. A message that cannot be used is not known."""
        values = np.array(self.values, np.float32)
        known = self.states == USABLE
        if not np.isnan(values[known]).any():
            return values, known
        newest, at = np.zeros(values.shape[1], np.float32), np.full(values.shape[1], -1, np.int64)
        take = -1
        for number in np.flatnonzero(known):
            if takes[number] != take:
                take, at[:] = takes[number], -1
            said = ~np.isnan(values[number])
            newest[said], at[said] = values[number, said], stamps[number]
            known[number] = bool((at >= 0).all() and (stamps[number] - at <= longest_ns).all())
            values[number] = newest
        return values, known


def rename(names: Sequence[str], wanted: Sequence[str]) -> tuple[str, ...]:
    """The components' names: those of the messages, or the `wanted` ones. Raises InputError for another count."""
    if wanted and (len(wanted) != len(names) or len(set(wanted)) != len(wanted)):
        raise InputError("names", ",".join(wanted), f"give {len(names)} different names: one for each component")
    return tuple(wanted) or tuple(names)
