"""One parameter of a node: its name, default, meaning and range."""

from collections.abc import Sequence
from dataclasses import dataclass

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor

from lingbot_ros.errors import InputError

Value = bool | int | float | str | Sequence[float] | Sequence[int] | Sequence[str]


@dataclass(frozen=True)
class Parameter:
    """One declaration. low and high bound numbers; choices are the accepted strings, none = any."""

    name: str
    default: Value
    description: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()

    def descriptor(self) -> ParameterDescriptor:
        descriptor = ParameterDescriptor(description=self.description)
        if self.choices:
            descriptor.additional_constraints = f"one of {', '.join(self.choices)}"
        if self.low is not None and self.high is not None:
            if isinstance(self.default, float):
                descriptor.floating_point_range = [FloatingPointRange(from_value=self.low, to_value=self.high)]
            else:
                descriptor.integer_range = [IntegerRange(from_value=int(self.low), to_value=int(self.high), step=1)]
        return descriptor

    def check(self, value: object) -> None:
        """Raise InputError for a string that is not among the choices; ROS itself checks types and ranges."""
        if self.choices and value not in self.choices:
            raise InputError(self.name, f"'{value}'", f"use one of {', '.join(self.choices)}")
