"""The Fast DDS profile for large images: Fast DDS takes it, and best-effort raw images arrive."""

import os
import subprocess
import sys
from pathlib import Path

from test.support.imagination import PATIENCE_S, ROOT, isolated_environment

PROFILE = ROOT / "config" / "fastdds_large_images.xml"
FRAMES = 20

RECEIVE = """
import sys, time
import rclpy
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image
from std_msgs.msg import Empty
rclpy.init()
node = rclpy.create_node("receiver")
seen = []
node.create_subscription(Image, "image", lambda message: seen.append((message.width, message.header.stamp.sec)),
                         qos_profile_sensor_data)
ready = node.create_publisher(Empty, "ready", 1)
deadline = time.monotonic() + float(sys.argv[1])
while len(seen) < int(sys.argv[2]) and time.monotonic() < deadline:
    ready.publish(Empty())
    rclpy.spin_once(node, timeout_sec=0.2)
print(seen)
"""

SEND = """
import sys, time
import numpy as np
import rclpy
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image
from std_msgs.msg import Empty
rclpy.init()
node = rclpy.create_node("sender")
heard = []
node.create_subscription(Empty, "ready", heard.append, 1)
images = node.create_publisher(Image, "image", qos_profile_sensor_data)
while not heard or not images.get_subscription_count():
    rclpy.spin_once(node, timeout_sec=0.1)
for k in range(int(sys.argv[1])):
    message = Image(height=720, width=1280, encoding="rgb8", step=3840)
    message.header.stamp.sec = k
    message.data.frombytes(np.zeros(720 * 3840, np.uint8).data)
    images.publish(message)
    time.sleep(0.1)
time.sleep(1.0)
"""


def test_raw_720p_frames_arrive_over_best_effort(tmp_path: Path) -> None:
    environment = {**isolated_environment(), "FASTDDS_DEFAULT_PROFILES_FILE": str(PROFILE)}
    assert os.path.isfile(PROFILE)
    receiver = subprocess.Popen(
        [sys.executable, "-c", RECEIVE, str(PATIENCE_S), str(FRAMES)],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    sender = subprocess.run(
        [sys.executable, "-c", SEND, str(FRAMES)],
        env=environment, check=True, capture_output=True, text=True, timeout=2 * PATIENCE_S,
    )  # fmt: skip
    said, _ = receiver.communicate(timeout=2 * PATIENCE_S)
    assert "XML" not in said + sender.stderr  # Fast DDS complains of a profile that it cannot read
    assert said.splitlines()[-1] == str([(1280, k) for k in range(FRAMES)])
