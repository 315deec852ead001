"""Values from a file as the types that a dataclass declares: converted where nothing is lost, else refused."""

import dataclasses
import math
import types
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from lingbot_ros.errors import InputError

_NAMES = {bool: "true or false", int: "a whole number", float: "a number", str: "a text", type(None): "nothing"}


def typed_fields(kind: type[Any], values: dict[str, Any], where: str) -> dict[str, Any]:
    """`values` by field of the dataclass `kind`, each as its field's type. Raises InputError naming field and type."""
    hints = get_type_hints(kind)
    return {name: _typed(hints[name], value, f"{where}.{name}") for name, value in values.items()}


def _typed(hint: Any, value: Any, field: str) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _one_of(arguments, value, field)
    if origin is Literal:
        return _choice(arguments, value, field)
    if origin is tuple:
        return _tuple(arguments, value, field)
    if origin in (dict, list) or hint in (dict, list) or dataclasses.is_dataclass(hint):
        return _require(value, origin or hint, field)  # a dataclass was parsed by the caller
    return value if hint is Any else _scalar(hint, value, field)


def _choice(choices: tuple[Any, ...], value: Any, field: str) -> Any:
    if value not in choices:
        raise InputError(field, repr(value), f"use one of {', '.join(map(str, choices))}")
    return value


def _one_of(hints: tuple[Any, ...], value: Any, field: str) -> Any:
    for hint in hints:
        try:
            return _typed(hint, value, field)
        except InputError as error:
            refusal = error
    if value is None or len([hint for hint in hints if hint is not type(None)]) > 1:
        raise InputError(field, repr(value), f"give {' or '.join(map(_describe, hints))}")
    raise refusal


def _tuple(hints: tuple[Any, ...], value: Any, field: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise InputError(field, repr(value), f"give a list of {_describe(hints[0])}s, such as [a, b]")
    if hints[-1] is Ellipsis:
        hints = (hints[0],) * len(value)
    if len(value) != len(hints):
        raise InputError(field, list(value), f"give {len(hints)} values")
    return tuple(
        _typed(hint, entry, f"{field}[{number}]") for number, (hint, entry) in enumerate(zip(hints, value, strict=True))
    )


def _scalar(hint: Any, value: Any, field: str) -> Any:
    if hint is float and type(value) in (int, float):
        if abs(value) > 10**300 or not math.isfinite(value):
            raise InputError(field, value, "give a finite number")
        return float(value)
    if type(value) is hint:
        return value
    if hint in (int, float) and isinstance(value, str):
        # YAML 1.1 takes 2e-3 for a word; whoever writes it means a number.
        try:
            number = float(value)
        except ValueError:
            raise InputError(field, repr(value), f"give {_describe(hint)}") from None
        return _scalar(hint, number, field)
    if hint is int and isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(hint, type) and hint not in _NAMES and isinstance(value, hint):
        return value
    raise InputError(field, repr(value), f"give {_describe(hint)}")


def _require(value: Any, kind: Any, field: str) -> Any:
    if not isinstance(value, kind):
        raise InputError(field, repr(value), f"give {'a list' if kind is list else 'keys and values'}")
    return value


def _describe(hint: Any) -> str:
    return _NAMES.get(hint, str(getattr(hint, "__name__", hint)))
