"""A policy as a ROS node, as it would run on a robot: an image comes in, an action goes out. No world, no evaluator.

It subscribes to `image_raw` (sensor_msgs/Image), publishes `action` (lingbot_msgs/RobotAction), and pushes to where
the image is darkest. `--lerobot` speaks as LeRobot's nodes do: it subscribes to `image_raw/compressed` and to
`state` (Float32MultiArray) and publishes `action` as a Float32MultiArray. `--fail` nan, stall or die shows what an
evaluator makes of policies that fail; `--at N` says at which image.
"""

import argparse
import time

import cv2
import numpy as np
import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Float32MultiArray

from lingbot_msgs.msg import RobotAction

TABLE = 512.0  # actions are positions on a table of 512 x 512 units


class Policy(Node):
    """One action per image."""

    def __init__(self, lerobot: bool, fail: str, at: int) -> None:
        super().__init__("policy")
        self.fail, self.at, self.images = fail, at, 0
        self.state = np.full(2, TABLE / 2)
        if lerobot:
            self.arrays = self.create_publisher(Float32MultiArray, "action", 10)
            self.create_subscription(Float32MultiArray, "state", self.on_state, 10)
            self.create_subscription(CompressedImage, "image_raw/compressed", self.on_compressed, 10)
        else:
            self.actions = self.create_publisher(RobotAction, "action", 10)
            self.create_subscription(Image, "image_raw", self.on_image, 10)

    def on_image(self, message: Image) -> None:
        """Answer an image by an action with the image's stamp, so that nobody takes it for an answer to another one."""
        pixels = np.frombuffer(message.data, np.uint8).reshape(message.height, message.width, 3)
        action = RobotAction(values=[float(value) for value in self.decide(pixels)])
        action.header.stamp = message.header.stamp
        self.actions.publish(action)

    def on_state(self, message: Float32MultiArray) -> None:
        """Where the robot is."""
        self.state = np.array(message.data)

    def on_compressed(self, message: CompressedImage) -> None:
        """The same for a JPEG, with an answer that has no stamp."""
        pixels = cv2.imdecode(np.frombuffer(message.data, np.uint8), cv2.IMREAD_COLOR)
        self.arrays.publish(Float32MultiArray(data=[float(value) for value in self.decide(pixels)]))

    def decide(self, pixels: np.ndarray) -> np.ndarray:
        """A third of the way from where the robot is to the middle of the darkest pixels; or fail, if asked to."""
        self.images += 1
        if self.images == self.at and self.fail == "die":
            raise SystemExit("the gripper is gone")
        if self.images >= self.at and self.fail == "stall":
            time.sleep(3600)
        if self.images >= self.at and self.fail == "nan":
            return np.array([np.nan, 0.0])
        grey = pixels.mean(axis=2)
        rows, columns = np.nonzero(grey <= np.quantile(grey, 0.02))
        target = np.array([columns.mean(), rows.mean()]) * TABLE / pixels.shape[1]
        self.state = self.state + (target - self.state) / 3
        return np.clip(self.state, 0, TABLE)


def main() -> None:
    """Act until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lerobot", action="store_true", help="speak as LeRobot's nodes do")
    parser.add_argument(
        "--fail", default="", choices=["", "nan", "stall", "die"], help="fail in this way (default: do not)"
    )
    parser.add_argument("--at", type=int, default=1, help="at this image (default %(default)s)")
    args, ros_arguments = parser.parse_known_args()
    rclpy.init(args=ros_arguments)
    policy = Policy(args.lerobot, args.fail, args.at)
    try:
        rclpy.spin(policy)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        policy.destroy_node()
        rclpy.try_shutdown()


if __name__ == "__main__":
    main()
