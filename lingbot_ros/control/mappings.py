"""What other robots' words mean for an action model: joints by name, and velocities."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.checkpoints.cards import ControlSpec
from lingbot_ros.errors import ErrorCode, InputError, LingbotError

TWIST_FIELDS = ("linear.x", "linear.y", "linear.z", "angular.x", "angular.y", "angular.z")
_NUMBER = r"[+-]?\d+(?:\.\d*)?"


@dataclass(frozen=True)
class Joint:
    """A joint that drives a component. low, high: its values (rad, m) that mean the component's least and greatest."""

    name: str
    low: float
    high: float


@dataclass(frozen=True)
class JointMap:
    """One joint per component of the action, in the order of the model's components.

    clip: a joint outside of its limits counts as at the limit, rather than being refused.
    """

    joints: tuple[Joint, ...]
    spec: ControlSpec
    clip: bool

    @classmethod
    def parse(cls, lines: Sequence[str], spec: ControlSpec, *, clip: bool) -> "JointMap":
        """One line per component: `JOINT LOW HIGH`, or `JOINT` alone whose values are in the model's own units.

        Raises InputError naming the line and its fault.
        """
        parameter = "input.joints.map"
        if len(lines) != spec.dim:
            raise InputError(parameter, list(lines), f"give one line per component: {', '.join(spec.names)}")
        joints = [_joint(line, row, spec, f"{parameter}[{row}]") for row, line in enumerate(lines)]
        if len({joint.name for joint in joints}) < len(joints):
            raise InputError(parameter, list(lines), "name each joint once")
        return cls(tuple(joints), spec, clip)

    def action(self, values: Mapping[str, float], field: str) -> NDArray[np.float64]:
        """Joint values by name -> an action [dim]. Raises InputError naming the joint, its value and its limits."""
        for joint, component in zip(self.joints, self.spec.names, strict=True):
            if joint.name not in values:
                given = ", ".join(values) or "none"
                fix = f"give '{joint.name}', which drives {component} (input.joints.map)"
                raise InputError(f"{field}.name", given, fix)
        return np.array([self._component(i, values[joint.name], field) for i, joint in enumerate(self.joints)])

    def check(self, values: Mapping[str, float], field: str) -> None:
        """Raise InputError for one of the joints in `values` that is beyond its limits; they need not be all."""
        for index, joint in enumerate(self.joints):
            if joint.name in values:
                self._component(index, values[joint.name], field)

    def _component(self, index: int, value: float, field: str) -> float:
        joint = self.joints[index]
        least, greatest = sorted((joint.low, joint.high))
        if self.clip and np.isfinite(value):
            value = min(max(value, least), greatest)
        if not least <= value <= greatest:  # also catches NaN
            fix = f"give a finite number from {least:g} to {greatest:g}, or set input.joints.clip"
            raise InputError(f"{field}.{joint.name}", value, fix)
        part = (value - joint.low) / (joint.high - joint.low)
        low, high = self.spec.low[index], self.spec.high[index]
        return float(low + part * (high - low))


@dataclass(frozen=True)
class VelocityMap:
    """Body velocities -> rates of the components of an action: rates = matrix [dim, 6] @ twist.

    start: the action [dim] that a session without any action yet is taken to have had.
    """

    matrix: NDArray[np.float64]
    start: NDArray[np.float64]

    @classmethod
    def parse(cls, lines: Sequence[str], spec: ControlSpec) -> "VelocityMap":
        """One line per component: terms NUMBER*FIELD, before them maybe a bare number, where the component starts.

        Raises InputError naming the line's fault.
        """
        parameter = "input.velocity_map"
        if len(lines) != spec.dim:
            raise InputError(parameter, list(lines), f"give one line per component: {', '.join(spec.names)}")
        matrix = np.zeros((spec.dim, len(TWIST_FIELDS)))
        start = (np.array(spec.low) + np.array(spec.high)) / 2
        for row, line in enumerate(lines):
            terms = line.split()
            if terms and re.fullmatch(_NUMBER, terms[0]):
                start[row] = float(terms.pop(0))
                if not spec.low[row] <= start[row] <= spec.high[row]:
                    fix = f"start {spec.names[row]} within {spec.low[row]:g} to {spec.high[row]:g}"
                    raise InputError(f"{parameter}[{row}]", start[row], fix)
            for term in terms:
                found = re.fullmatch(rf"({_NUMBER})\*(\w+\.\w+)", term)
                if found is None or found[2] not in TWIST_FIELDS:
                    fix = f"write NUMBER*FIELD with a FIELD of {', '.join(TWIST_FIELDS)}"
                    raise InputError(f"{parameter}[{row}]", f"'{term}'", fix)
                matrix[row, TWIST_FIELDS.index(found[2])] += float(found[1])
        return cls(matrix, start)


@dataclass(frozen=True)
class ActionMaps:
    """What is configured for a model: None = not at all, or not driven by actions."""

    joints: JointMap | None = None
    velocities: VelocityMap | None = None

    @classmethod
    def parse(cls, joints: Sequence[str], velocities: Sequence[str], spec: ControlSpec, *, clip: bool) -> "ActionMaps":
        """Raises InputError naming the parameter and line that does not fit the model; no lines = no map."""
        if spec.kind != "action":
            return cls()
        return cls(
            JointMap.parse(joints, spec, clip=clip) if joints else None,
            VelocityMap.parse(velocities, spec) if velocities else None,
        )


def require_action(spec: ControlSpec, field: str) -> None:
    """Raise LingbotError (UNSUPPORTED) unless the model is driven by actions."""
    if spec.kind != "action":
        raise LingbotError(f"{field}: this model is driven by {spec.kind} poses, not actions", ErrorCode.UNSUPPORTED)


def require_camera(spec: ControlSpec, field: str) -> None:
    """Raise LingbotError (UNSUPPORTED) unless the model is driven by camera poses."""
    if spec.kind != "camera":
        raise LingbotError(f"{field}: this model is driven by {spec.kind}s, not camera poses", ErrorCode.UNSUPPORTED)


def require_no_keys(spec: ControlSpec, field: str) -> None:
    """Raise LingbotError (UNSUPPORTED) for a model that takes keys beside each pose."""
    if spec.takes_keys:
        reason = (
            "this model takes keys beside each pose: drive with cmd_vel, keys or joy, or call ~/imagine with actions"
        )
        raise LingbotError(f"{field}: {reason}", ErrorCode.UNSUPPORTED)


def _joint(line: str, row: int, spec: ControlSpec, field: str) -> Joint:
    name, *limits = line.split() or [""]
    try:
        low, high = [float(limit) for limit in limits] or [spec.low[row], spec.high[row]]
    except ValueError:
        raise InputError(field, f"'{line}'", "write JOINT, or JOINT LOW HIGH with two numbers") from None
    if not name or not np.isfinite([low, high]).all() or low == high:
        raise InputError(field, f"'{line}'", "write JOINT LOW HIGH with two different finite numbers")
    return Joint(name, low, high)
