"""Numbers that travel: the core's enumerations and the messages' constants are the same."""

from enum import IntEnum
from typing import Any

import pytest

from lingbot_msgs.msg import ErrorCode as ErrorCodeMessage
from lingbot_msgs.msg import FrameInfo, ImaginationStatus
from lingbot_ros.errors import ErrorCode
from lingbot_ros.runtime.enums import ControlSource, ControlState, FrameKind, Mode, State


def constants(message: Any, prefix: str) -> dict[str, int]:
    """Every constant of the definition that starts with `prefix`, without it."""
    members = type(message).__dict__["_Metaclass_" + message.__name__ + "__constants"]
    return {name.removeprefix(prefix): value for name, value in members.items() if name.startswith(prefix)}


@pytest.mark.parametrize(
    ("enumeration", "message", "prefix"),
    [
        (ErrorCode, ErrorCodeMessage, ""),
        (FrameKind, FrameInfo, "KIND_"),
        (ControlSource, FrameInfo, "SOURCE_"),
        (ControlState, FrameInfo, "CONTROL_"),
        (State, ImaginationStatus, "STATE_"),
        (Mode, ImaginationStatus, "MODE_"),
    ],
    ids=lambda value: getattr(value, "__name__", value) or "all",
)
def test_numbers_agree(enumeration: type[IntEnum], message: Any, prefix: str) -> None:
    expected = {member.name: member.value for member in enumeration}
    assert constants(message, prefix) == expected
