"""What nodes that are policies publish and subscribe: this project's messages, and those of LeRobot's nodes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Float32MultiArray, Header

from lingbot_msgs.msg import RobotAction
from lingbot_ros.bridge.images import rgb_to_compressed, rgb_to_image
from lingbot_ros.bridge.stamps import to_nanoseconds
from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.policies.contract import Actions, Frame

_JPEG_QUALITY = 95


@dataclass(frozen=True)
class Convention:
    """image_of: a frame as a message. actions_of: an answer as [dim] or [n, dim]. stamp_of: the stamp that an answer
    carries, ns; 0 = none. takes_state: whether the robot's state goes along.
    """

    image_type: Any
    action_type: Any
    image_of: Callable[[Frame, Header], Any]
    actions_of: Callable[[Any], Actions]
    stamp_of: Callable[[Any], int]
    takes_state: bool


def multi_array(values: NDArray[np.float64]) -> Float32MultiArray:
    """Numbers [n] as a message."""
    return Float32MultiArray(data=[float(value) for value in np.asarray(values, np.float32)])


def actions_of_array(message: Float32MultiArray) -> Actions:
    """[dim], or a chunk [n, dim] where the layout has two dimensions. Raises InputError where they do not fit."""
    values = np.array(message.data, np.float64)
    sizes = [int(dimension.size) for dimension in message.layout.dim]
    if len(sizes) < 2:
        return values
    if len(sizes) > 2 or sizes[0] * sizes[1] != len(values):
        raise InputError("layout", f"{sizes} for {len(values)} numbers", "give the dimensions [n, dim] of a chunk")
    return values.reshape(sizes)


CONVENTIONS = {
    "robot_action": Convention(
        Image,
        RobotAction,
        rgb_to_image,
        lambda message: np.array(message.values, np.float64),
        lambda message: to_nanoseconds(message.header.stamp),
        takes_state=False,
    ),
    "lerobot": Convention(
        CompressedImage,
        Float32MultiArray,
        lambda rgb, header: rgb_to_compressed(rgb, header, _JPEG_QUALITY),
        actions_of_array,
        lambda message: 0,
        takes_state=True,
    ),
}
"""By the name in the file of policies."""
