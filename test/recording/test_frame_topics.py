"""Which topics of a bag hold its frames, whatever they are called and whatever else is in it."""

from typing import Any, cast

import pytest

from lingbot_ros.errors import InputError
from lingbot_ros.recording.frame_topics import frame_topics

INFO, CONTROL = "lingbot_msgs/msg/FrameInfo", "lingbot_msgs/msg/RobotAction"
IMAGE, ENCODED, CAMERA = (f"sensor_msgs/msg/{name}" for name in ("Image", "CompressedImage", "CameraInfo"))
OWN = [
    ("/frame_info", INFO, 10), ("/image_raw", IMAGE, 10), ("/camera_info", CAMERA, 10),
    ("/imagination/control", CONTROL, 10), ("/imagination/given_image", IMAGE, 1),
]  # fmt: skip
PARTS = {
    "/frame_info": "info", "/image_raw": "image", "/camera_info": "camera", "/imagination/control": "control",
    "/imagination/given_image": "given",
}  # fmt: skip


class Topic:
    """What is asked of a rosbags connection."""

    def __init__(self, topic: str, msgtype: str, msgcount: int) -> None:
        self.topic, self.msgtype, self.msgcount = topic, msgtype, msgcount


def found(*topics: tuple[str, str, int]) -> dict[str, str]:
    return frame_topics(cast(Any, [Topic(*topic) for topic in topics]))


def test_its_own_names() -> None:
    assert found(*OWN) == PARTS


def test_remapped_names() -> None:
    renamed = found(("/a", INFO, 10), ("/b", IMAGE, 1), ("/c", ENCODED, 9), ("/d", CAMERA, 10), ("/e", CONTROL, 10))
    assert renamed == {"/a": "info", "/b": "image", "/c": "image", "/d": "camera", "/e": "control"}


def test_other_cameras_and_actions_in_the_bag_are_not_its_own() -> None:
    others = [("/front/image_raw", IMAGE, 300), ("/front/image_raw/compressed", ENCODED, 300), ("/action", CONTROL, 10)]
    assert found(*OWN, *others, ("/front/camera_info", CAMERA, 300)) == PARTS
    renamed = [("/see", IMAGE, 10) if topic == "/image_raw" else (topic, *rest) for topic, *rest in OWN]
    assert found(*cast(Any, renamed), *others)["/see"] == "image"


def test_what_cannot_be_told_apart_is_refused() -> None:
    with pytest.raises(InputError, match=r"several topics that could be its image: /a, /b"):
        found(("/frame_info", INFO, 10), ("/a", IMAGE, 10), ("/b", IMAGE, 10))
    with pytest.raises(InputError, match="give a bag of one node"):
        found(("/a/frame_info", INFO, 10), ("/b/frame_info", INFO, 10))
