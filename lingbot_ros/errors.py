"""The errors a user can meet, each with a number that travels over ROS and a sentence that says what to do.

The numbers are those of `lingbot_msgs/msg/ErrorCode`; a test keeps the two in step.
"""

import reprlib
from enum import IntEnum


class ErrorCode(IntEnum):
    """Why a request was refused or failed; 0 means that it was not."""

    NONE = 0
    INVALID_INPUT = 1
    UNKNOWN_MODEL = 2
    BAD_WEIGHTS = 3
    ENGINE_UNAVAILABLE = 4
    UNKNOWN_SESSION = 5
    SESSION_CLOSED = 6
    BAD_SNAPSHOT = 7
    OUT_OF_MEMORY = 8
    DISK = 9
    BUSY = 10
    NOT_ACTIVE = 11
    CANCELED = 12
    PREEMPTED = 13
    TIMED_OUT = 14
    UNSUPPORTED = 15
    INTERNAL = 255


_LONGEST = 4000


def printable(message: str) -> str:
    """The message as it can be logged and sent: what is no UTF-8 escaped, and its middle left out where it is long."""
    if len(message) > _LONGEST:
        half = _LONGEST // 2
        message = f"{message[:half]} ... ({len(message) - 2 * half} characters left out) ... {message[-half:]}"
    return message.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")


_SHOWN = 500
_containers = reprlib.Repr()
_containers.maxlevel = 3
_containers.maxdict = _containers.maxlist = _containers.maxtuple = _containers.maxset = 20
_containers.maxstring = _containers.maxlong = _containers.maxother = 120


def _shown(value: object) -> str:
    """What a person needs to recognise a value. One of a file may be of any size, or contain itself."""
    if isinstance(value, (list, tuple, dict, set, frozenset)) or (type(value) is int and abs(value) > 10**100):
        return _containers.repr(value)
    said = str(value)
    return said if len(said) <= _SHOWN else f"{said[: _SHOWN // 2]} ... {said[-_SHOWN // 2 :]}"


class LingbotError(Exception):
    """Base of every expected failure. `str(error)` is a complete message for a user; `code` is its number."""

    code = ErrorCode.INTERNAL

    def __init__(self, message: str, code: ErrorCode | None = None) -> None:
        super().__init__(printable(message))
        if code is not None:
            self.code = code


class InputError(LingbotError):
    """A value from outside cannot be used. Nothing was changed by the call that raised it."""

    code = ErrorCode.INVALID_INPUT

    def __init__(self, field: str, value: object, fix: str) -> None:
        super().__init__(f"{field}: got {_shown(value)}; {fix}")
        self.field, self.value, self.fix = field, value, fix


class ModelError(LingbotError):
    """A model's card or weights are unknown, damaged or do not fit together."""

    code = ErrorCode.BAD_WEIGHTS


class EngineError(LingbotError):
    """The engine that was asked for cannot run here. It never becomes another engine by itself."""

    code = ErrorCode.ENGINE_UNAVAILABLE


class SessionError(LingbotError):
    """A session is unknown, closed or in a state that does not allow the call."""

    code = ErrorCode.SESSION_CLOSED


class SnapshotError(LingbotError):
    """A snapshot is damaged or belongs to another model."""

    code = ErrorCode.BAD_SNAPSHOT


class ResourceError(LingbotError):
    """Memory or disk does not suffice."""

    code = ErrorCode.OUT_OF_MEMORY
