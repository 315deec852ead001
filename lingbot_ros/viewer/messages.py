"""What a page may send, checked. Everything else is refused with a sentence that the page shows."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lingbot_ros.control.keys import KNOWN_KEYS
from lingbot_ros.errors import InputError
from lingbot_ros.sendable import PROMPT_BYTES, require_text

MOST_FUTURES = 6
_MOST_VALUES = 64
_MOST_SEED = 2**31 - 1
_MOST_MOMENTS = 10_000


@dataclass(frozen=True)
class Ack:
    """A frame has arrived."""

    sequence: int


@dataclass(frozen=True)
class Watch:
    """Whether the page is visible."""

    visible: bool


@dataclass(frozen=True)
class Drive:
    """The whole set of what is held on one stream, never an edge. Both empty: released.

    keys: of wasdijkl, for camera models. values: one per component of the action, for action models.
    """

    stream: int = 0
    keys: str = ""
    values: tuple[float, ...] = ()

    @property
    def held(self) -> bool:
        return bool(self.keys or self.values)


@dataclass(frozen=True)
class Request:
    """Something that is answered: `name` is a key of `_ARGUMENTS`, `arguments` are checked."""

    id: int
    name: str
    arguments: Mapping[str, Any]


Message = Ack | Watch | Drive | Request


def parse(text: str) -> Message:
    """Raises InputError naming field, value and fix."""
    try:
        data = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise InputError("message", _short(text), f"send JSON ({_short(str(error))})") from error
    if not isinstance(data, dict):
        raise InputError("message", _short(text), "send a JSON object")
    kind = data.get("type")
    if kind == "ack":
        return Ack(_integer(data, "sequence", 0, 2**53))
    if kind == "watch":
        return Watch(_boolean(data, "visible"))
    if kind == "drive":
        return Drive(_integer(data, "stream", 0, MOST_FUTURES), _keys(data), _values(data))
    if kind == "request":
        return _request(data)
    raise InputError("type", _short(repr(kind)), "use ack, watch, drive or request")


def _request(data: Mapping[str, Any]) -> Request:
    number, name = _integer(data, "id", 0, 2**53), data.get("name")
    if not isinstance(name, str) or name not in _ARGUMENTS:
        raise InputError("name", _short(repr(name)), f"use one of {', '.join(_ARGUMENTS)}")
    return Request(number, name, {key: check(data, key) for key, check in _ARGUMENTS[name].items()})


def _keys(data: Mapping[str, Any]) -> str:
    keys = data.get("keys", "")
    if not isinstance(keys, str) or len(keys) > len(KNOWN_KEYS) or set(keys) - set(KNOWN_KEYS):
        raise InputError("keys", _short(repr(keys)), f"send letters of {KNOWN_KEYS}")
    return "".join(sorted(set(keys)))


def _values(data: Mapping[str, Any]) -> tuple[float, ...]:
    values = data.get("values", [])
    if not isinstance(values, list) or len(values) > _MOST_VALUES:
        raise InputError("values", _short(repr(values)), "send a list of numbers, one per component of the action")
    if any(isinstance(v, bool) or not isinstance(v, int | float) or not math.isfinite(v) for v in values):
        raise InputError("values", _short(repr(values)), "send finite numbers")
    return tuple(float(value) for value in values)


def _integer(data: Mapping[str, Any], key: str, low: int, high: int) -> int:
    value = data.get(key, low)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InputError(key, _short(repr(value)), f"send a whole number from {low} to {high}")
    return value


def _boolean(data: Mapping[str, Any], key: str) -> bool:
    value = data.get(key)
    if not isinstance(value, bool):
        raise InputError(key, _short(repr(value)), "send true or false")
    return value


def _prompt(data: Mapping[str, Any], key: str) -> str:
    value = data.get(key)
    if not isinstance(value, str):
        raise InputError(key, _short(repr(value)), "send a text")
    return require_text(key, value, PROMPT_BYTES)


def _upload(data: Mapping[str, Any], key: str) -> str:
    """Name of an uploaded image; empty = the task's scene of that seed."""
    value = data.get(key, "")
    if not isinstance(value, str) or len(value) > 64:
        raise InputError(key, _short(repr(value)), "send the name that the upload was answered with")
    return value


def _future(data: Mapping[str, Any], key: str) -> int:
    return _integer(data, key, 1, MOST_FUTURES)


_ARGUMENTS: dict[str, dict[str, Any]] = {
    "pause": {"paused": _boolean},
    "step": {},
    "prompt": {"text": _prompt},
    "reset": {},
    "new_world": {"seed": lambda data, key: _integer(data, key, 0, _MOST_SEED), "image": _upload},
    "futures": {"count": lambda data, key: _integer(data, key, 2, MOST_FUTURES)},
    "adopt": {"future": _future},
    "back": {},
    "keep": {},
    "return_to": {"moment": lambda data, key: _integer(data, key, 1, _MOST_MOMENTS)},
    "record": {"on": _boolean},
    "take_over": {},
}


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number")


def _short(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "..."
