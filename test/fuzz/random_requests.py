"""Requests of any type with values at random: those of everyday use, those at the edges, and those beyond."""

import random
from importlib import import_module
from typing import Any

from rosidl_parser.definition import (
    AbstractSequence,
    AbstractString,
    AbstractWString,
    Array,
    BasicType,
    BoundedSequence,
    NamespacedType,
)

_BITS = {"int8": 8, "int16": 16, "int32": 32, "int64": 64, "uint8": 8, "uint16": 16, "uint32": 32, "uint64": 64}
_FLOATS = (0.0, -0.0, 1.0, -1.0, 1e-308, 1e300, -1e300, float("nan"), float("inf"), float("-inf"), 256.0, 0.5)
_SINGLE = (0.0, 1.0, -1.0, 3e38, -3e38, float("nan"), float("inf"))
_TEXTS = (
    *(
        "",
        "kept",
        "true.snapshot",
        "new",
        "..",
        "../../etc/passwd",
        "/dev/zero",
        "/proc/self/mem",
        "~",
        "file:///",
        "*",
    ),
    *("a\nb", "\x1b[31m", "é世界🤖", "x" * 300, "y" * 100_000, "tiny", "map", "rgb8", "nan", "null", "{}", "[" * 2000),
)


def find_type(namespace: str, name: str) -> Any:
    """The class of a message or service, e.g. of `std_msgs/msg` and `String`."""
    return getattr(import_module(namespace.replace("/", ".")), name)


def fill(message: Any, chance: random.Random, share: float = 1.0) -> Any:
    """Set fields of a message at random, each with the probability `share`; returns it."""
    for (name, _), kind in zip(message.get_fields_and_field_types().items(), message.SLOT_TYPES, strict=True):
        if chance.random() < share:
            setattr(message, name, _value(kind, getattr(message, name), chance, share))
    return message


def _value(kind: Any, now: Any, chance: random.Random, share: float) -> Any:
    if isinstance(kind, NamespacedType):
        return fill(now if now is not None else find_type("/".join(kind.namespaces), kind.name)(), chance, share)
    if isinstance(kind, BasicType):
        return _basic(kind.typename, chance)
    if isinstance(kind, (AbstractString, AbstractWString)):
        return chance.choice(_TEXTS)
    if isinstance(kind, Array):
        return [_value(kind.value_type, None, chance, share) for _ in range(kind.size)]
    assert isinstance(kind, AbstractSequence)
    most = kind.maximum_size if isinstance(kind, BoundedSequence) else 5000
    basic = isinstance(kind.value_type, BasicType)
    count = min(most, chance.choice((0, 1, 2, 3, 30, 5000 if basic else 30)))
    return [_value(kind.value_type, None, chance, share) for _ in range(count)]


def _basic(name: str, chance: random.Random) -> Any:
    if name in ("boolean", "bool"):
        return chance.random() < 0.5
    if name in ("double", "float"):
        return chance.choice(_FLOATS if name == "double" else _SINGLE)
    if name in ("octet", "byte"):
        return bytes([chance.randrange(256)])
    if name in ("char", "wchar"):
        return chance.randrange(256)
    bits = _BITS[name]
    low, high = (0, 2**bits - 1) if name.startswith("u") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    return chance.choice((low, high, 0, 1, 2, chance.randint(low, high), min(high, 10**9)))
