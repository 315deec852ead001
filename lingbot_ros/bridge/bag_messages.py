"""What a bag holds: the definitions of our messages, and the exact control of each frame."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from std_msgs.msg import Header

from lingbot_msgs.msg import RobotAction
from lingbot_ros.runtime.records import FrameRecord

_OURS = ("lingbot_msgs", "simulation_interfaces")


@cache
def definitions() -> dict[str, str]:
    """`package/msg/Type` -> text of the installed .msg file, of every package that a reader cannot know by itself."""
    found: dict[str, str] = {}
    for package in _OURS:
        spec = find_spec(package)
        if spec is None or spec.origin is None:  # an optional package that is not here
            continue
        # Beside the Python package, in the same install prefix, whether or not AMENT_PREFIX_PATH names it.
        shares = (parent / "share" / package / "msg" for parent in Path(spec.origin).parents)
        folder = next(share for share in shares if share.is_dir())
        found |= {
            f"{package}/msg/{path.stem}": path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.msg"))
        }
    return found


def kind_of(message: Any) -> str:
    """`package/msg/Type` of a message."""
    return "/".join((type(message).__module__.split(".")[0], "msg", type(message).__name__))


def used_control(record: FrameRecord, header: Header) -> RobotAction:
    """The control of a frame to the last bit: an action, or camera-to-world row by row (16 values, OpenCV axes, m).

    The keys of a model that takes them follow.
    """
    control = record.control
    if control is None:
        return RobotAction(header=header, session_id=record.session_id)
    return RobotAction(header=header, id=control.id, session_id=record.session_id, values=control.values.ravel())
