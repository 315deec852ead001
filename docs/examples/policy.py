"""A policy in an imagined world: looks at each frame, answers with an action. It knows no more than a camera's images.

Run it beside `./lingbot python docs/examples/world.py`. It sends the pusher of the model pusht-lasting to the middle of
whatever is not background. `--frames N` ends after N frames.
"""

import argparse

import numpy as np
import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from sensor_msgs.msg import Image

from lingbot_msgs.msg import FrameInfo, RobotAction

TABLE = 512.0  # the model's actions are positions on a table of 512 x 512 units


class Policy(Node):
    """One action per image; a first one unasked, because a world in which nobody acts stands still."""

    def __init__(self) -> None:
        super().__init__("policy")
        self.frames = 0
        self.actions = self.create_publisher(RobotAction, "action", 1)
        self.create_subscription(Image, "image_raw", self.on_image, 2)
        self.create_subscription(FrameInfo, "frame_info", self.on_info, 10)
        self.create_timer(0.5, self.on_silence)
        self.seen = 0

    def on_image(self, message: Image) -> None:
        """Look, decide, act."""
        self.frames += 1
        pixels = np.frombuffer(message.data, np.uint8).reshape(message.height, message.width, 3)
        rows, columns = np.nonzero(pixels.min(axis=2) < 200)
        centre = np.array([columns.mean(), rows.mean()]) if len(rows) else np.full(2, message.width / 2)
        self.send(centre * TABLE / message.width)

    def on_info(self, info: FrameInfo) -> None:
        """What each frame is, and what drove it."""
        used = f"action {info.control_id}" if info.control_source == FrameInfo.SOURCE_ACTION else "something else"
        print(f"frame {info.frame_index} of session {info.session_id}: driven by {used}", flush=True)

    def on_silence(self) -> None:
        """Begin, or begin again after a frame got lost."""
        if self.seen == self.frames:
            self.send(np.full(2, TABLE / 2))
        self.seen = self.frames

    def send(self, target: np.ndarray) -> None:
        """One action: where the pusher is drawn to. The number comes back with the frame that used it."""
        action = RobotAction(id=self.frames + 1, values=[float(value) for value in target])
        action.header.stamp = self.get_clock().now().to_msg()
        self.actions.publish(action)


def main() -> None:
    """Act until Ctrl-C, or for so many frames."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=0, help="end after so many (default: never)")
    args, ros_arguments = parser.parse_known_args()
    rclpy.init(args=ros_arguments)
    policy = Policy()
    try:
        while not args.frames or policy.frames < args.frames:
            rclpy.spin_once(policy, timeout_sec=0.5)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        policy.destroy_node()
        rclpy.try_shutdown()


if __name__ == "__main__":
    main()
