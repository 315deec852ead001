"""Messages as openpi writes them: MessagePack, in which an array is a map of its bytes, type and shape.

Nothing is unpickled: a message can only hold numbers, text, bytes, lists, maps and arrays of numbers.
"""

from collections.abc import Mapping
from typing import Any

import msgpack
import numpy as np

from lingbot_ros.errors import InputError

_NUMBERS = "?bhilqBHILQefd"


def pack(message: Mapping[str, Any]) -> bytes:
    """Raises InputError for what the format cannot carry, such as an array of objects."""
    try:
        packed: bytes = msgpack.packb(message, default=_plain)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(
            "message", type(message).__name__, f"send numbers, text and arrays of numbers ({error})"
        ) from (error)
    return packed


def unpack(data: bytes) -> dict[str, Any]:
    """The message; arrays are copies that may be written to. Raises InputError for anything else than a message."""
    try:
        message = msgpack.unpackb(data, object_hook=_array)
    except (ValueError, TypeError, KeyError, msgpack.UnpackException) as error:
        raise InputError("message", f"{len(data)} bytes", f"send MessagePack as openpi does ({error})") from error
    if not isinstance(message, dict):
        raise InputError("message", type(message).__name__, "send a map")
    return message


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic) and value.dtype.char not in _NUMBERS:
        raise TypeError(f"an array of {value.dtype}")
    if isinstance(value, np.ndarray):
        return {b"__ndarray__": True, b"data": value.tobytes(), b"dtype": value.dtype.str, b"shape": value.shape}
    if isinstance(value, np.generic):
        return {b"__npgeneric__": True, b"data": value.item(), b"dtype": value.dtype.str}
    raise TypeError(f"a {type(value).__name__}")


def _array(value: dict[Any, Any]) -> Any:
    if b"__ndarray__" in value:
        return np.frombuffer(value[b"data"], _number_type(value)).reshape(value[b"shape"]).copy()
    if b"__npgeneric__" in value:
        return _number_type(value).type(value[b"data"])
    return value


def _number_type(value: dict[Any, Any]) -> np.dtype[Any]:
    found = np.dtype(value[b"dtype"])
    if found.char not in _NUMBERS:
        raise TypeError(f"an array of {found}")
    return found
