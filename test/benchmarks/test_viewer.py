"""The number and the time that the benchmark of the page burns into its pictures."""

import cv2
import pytest

pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")
pytest.importorskip("lingbot_msgs.msg", reason="lingbot_msgs is not built")

from benchmarks.viewer.mark import burn, read
from benchmarks.viewer.source import natural


@pytest.mark.parametrize(("number", "time_ms"), [(0, 0), (1, 86_399_999), (1_048_575, 12_345_678)])
def test_a_mark_survives_jpeg(number: int, time_ms: int) -> None:
    picture = natural(seed=1)
    burn(picture, number, time_ms)
    coded = cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, 80))[1]
    assert 60_000 < len(coded) < 130_000, "as large as a picture of a camera"
    assert read(cv2.imdecode(coded, cv2.IMREAD_COLOR)) == (number, time_ms)
