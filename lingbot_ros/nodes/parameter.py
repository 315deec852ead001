"""One parameter of a node: its name, default, meaning and range."""

import math
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
        """Raise InputError for a string that is not among the choices, or a number out of range."""
        if self.choices and value not in self.choices:
            raise InputError(self.name, f"'{value}'", f"use one of {', '.join(self.choices)}")
        if isinstance(value, float) and not math.isfinite(value):
            raise InputError(self.name, value, "give a finite number")
        low, high = self.low, self.high
        if isinstance(value, int | float) and low is not None and high is not None and not low <= value <= high:
            raise InputError(self.name, value, f"give a number from {low:g} to {high:g}")

    def converted(self, given: object) -> Value:
        """A value of the default's type from what YAML made of the text; None is what it makes of an empty list.

        Only what loses nothing is converted. Raises InputError that says what was read, and how to write it. A text
        that is not among the choices is left to `check`: configure refuses it, and the node lives on.
        """
        if isinstance(self.default, bool | int | float | str):
            value: Value = self._scalar(given, type(self.default))
        else:
            value = self._list(given, self.default)
        if not isinstance(value, str):
            self.check(value)
        return value

    def _list(self, given: object, default: Sequence[float] | Sequence[int] | Sequence[str]) -> Value:
        kind = type(default[0])
        if given is None and kind is str:
            return [""]  # ROS has no empty list of texts; this is how the defaults write it
        if given is None or isinstance(given, str | bytes) or not isinstance(given, Sequence):
            raise InputError(self.name, _read(given), f"give a list of {_PLURAL[kind]}, such as {list(default)}")
        return [self._scalar(entry, kind) for entry in given]  # type: ignore[return-value]

    def _scalar(self, given: object, kind: type) -> Value:
        if type(given) is kind:
            return given  # type: ignore[return-value]
        if kind is float and type(given) is int:
            return float(given)
        if kind is int and isinstance(given, float) and given.is_integer():
            return int(given)
        fix = f"give {_ONE[kind]}"
        if kind is str and isinstance(given, bool | int | float):
            fix = "write a text in quotes: YAML reads on, off, yes and no as booleans, and digits as numbers"
        elif given is None:
            fix = f"give {_ONE[kind]}, or leave the line out"
        raise InputError(self.name, _read(given), fix)


_ONE = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
_PLURAL = {bool: "booleans", int: "whole numbers", float: "numbers", str: "texts"}


def _read(given: object) -> str:
    """What was read, for an error message."""
    if given is None:
        return "nothing or an empty list"
    if isinstance(given, bool):
        return f"the boolean {str(given).lower()}"
    if isinstance(given, str):
        return f"the text '{given}'"
    return f"the number {given}" if isinstance(given, int | float) else f"the list {list(given)}"  # type: ignore[call-overload]
