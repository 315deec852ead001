"""Every input hears the publishers that people have: rclpy's and rclcpp's default, and that of `ros2 topic pub`."""

import pytest
from rclpy.qos import QoSCompatibility, QoSProfile, qos_check_compatible

from lingbot_ros.nodes import qos
from lingbot_ros.runtime.enums import Mode

DEFAULT = QoSProfile(depth=10)
TOPIC_PUB = qos.latched()
"""`ros2 topic pub` keeps its message for those who come later."""


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("publisher", [DEFAULT, TOPIC_PUB], ids=["default", "ros2 topic pub"])
def test_inputs_hear_default_publishers(mode: Mode, publisher: QoSProfile) -> None:
    inputs = (qos.control(mode, 10), qos.joints(mode, 10), qos.ordered(mode, 10), qos.real_images(mode, 10),
              qos.IMAGE, qos.PROMPT, qos.reliable(10))  # fmt: skip
    for profile in inputs:
        assert qos_check_compatible(publisher, profile)[0] != QoSCompatibility.ERROR


def test_a_prompt_that_was_kept_is_heard_too() -> None:
    assert qos_check_compatible(DEFAULT, qos.PROMPT_KEPT)[0] == QoSCompatibility.ERROR
    assert qos_check_compatible(TOPIC_PUB, qos.PROMPT_KEPT)[0] != QoSCompatibility.ERROR
