"""What ROS serialises can be read without ROS, whatever the lengths of its texts and lists."""

import numpy as np
import pytest
from rclpy.serialization import serialize_message

from lingbot_msgs.msg import FrameInfo, ImaginationStatus, RobotAction
from lingbot_ros.bridge.bag_messages import definitions, kind_of
from lingbot_ros.recording.bag_file import read_message
from lingbot_ros.recording.writer import message_types

TYPES = message_types(definitions())


@pytest.mark.parametrize("count", [0, 1, 2, 16])
@pytest.mark.parametrize("length", range(18))
def test_messages_of_any_length_are_read(length: int, count: int) -> None:
    name, values = "x" * length, [0.5] * count
    action = RobotAction(session_id=name, id=7, values=values)
    read = read_message(TYPES, serialize_message(action), kind_of(action))
    assert (read.session_id, read.id) == (name, 7)
    np.testing.assert_array_equal(read.values, values)
    info = FrameInfo(session_id=name, prompt=name[1:], control=values, has_camera_pose=True, decode_time=0.25)
    read = read_message(TYPES, serialize_message(info), kind_of(info))
    assert (read.session_id, read.prompt, read.decode_time, list(read.control)) == (name, name[1:], 0.25, values)
    status = ImaginationStatus(active_session=name, threads=3)
    assert read_message(TYPES, serialize_message(status), kind_of(status)).threads == 3
