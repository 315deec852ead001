"""Which topics of a bag hold the parts of its frames. Topics can be remapped, so that their types tell them apart."""

from collections.abc import Sequence
from dataclasses import dataclass

from lingbot_ros.errors import InputError

FRAME_INFO = "lingbot_msgs/msg/FrameInfo"
_IMAGE, _ENCODED = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"
_CAMERA, _CONTROL = "sensor_msgs/msg/CameraInfo", "lingbot_msgs/msg/RobotAction"
_GIVEN = "/given_image"


@dataclass(frozen=True)
class CountedTopic:
    """A topic of a bag with messages of one type."""

    topic: str
    msgtype: str
    msgcount: int


def frame_topics(connections: Sequence[CountedTopic]) -> dict[str, str]:
    """Topic -> "info", "image", "camera", "control" or "given"; what a bag lacks is left out.

    Where a type occurs more than once, as in a bag that other cameras are in, the node's own names decide, then which
    has a message for each frame. Raises InputError where that does not decide either.
    """
    info = _only([c for c in connections if c.msgtype == FRAME_INFO], FRAME_INFO)
    prefix, frames = info.topic.removesuffix("frame_info"), info.msgcount
    given = [c for c in connections if c.msgtype == _IMAGE and c.topic.endswith(_GIVEN)]
    images = [c for c in connections if c.msgtype == _IMAGE and c not in given]
    raw = _choose(images, [f"{prefix}image_raw"], frames, "image")
    of = {info.topic: "info"} | {c.topic: "image" for c in raw} | {c.topic: "given" for c in given}
    if sum(c.msgcount for c in raw) < frames:  # the others are JPEG
        twins = [f"{c.topic}/compressed" for c in raw] + [f"{prefix}image_raw/compressed"]
        encoded = [c for c in connections if c.msgtype == _ENCODED]
        of |= {c.topic: "image" for c in _choose(encoded, twins, frames, "image")}
    cameras = [c for c in connections if c.msgtype == _CAMERA]
    of |= {c.topic: "camera" for c in _choose(cameras, [f"{prefix}camera_info"], frames, "camera")}
    controls = [c for c in connections if c.msgtype == _CONTROL]
    own = [c.topic for c in controls if c.topic.endswith("/control") and c.topic.startswith(prefix)]
    return of | {c.topic: "control" for c in _choose(controls, own, frames, "control")}


def _choose(found: Sequence[CountedTopic], names: Sequence[str], frames: int, part: str) -> list[CountedTopic]:
    """The one connection that is meant, or none."""
    named = [c for name in names for c in found if c.topic == name]
    if named:
        return named[:1]
    if len(found) > 1:
        found = [c for c in found if c.msgcount == frames]
    if len(found) > 1:
        topics = ", ".join(sorted(c.topic for c in found))
        raise InputError("bag", f"several topics that could be its {part}: {topics}", "record the node's topics alone")
    return list(found)


def _only(found: Sequence[CountedTopic], kind: str) -> CountedTopic:
    if len(found) != 1:
        topics = ", ".join(connection.topic for connection in found) or "none"
        raise InputError("bag", f"topics of {kind}: {topics}", "give a bag of one node")
    return found[0]
