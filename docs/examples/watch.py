"""Watch an imagined world from any ROS 2 program: subscribe to its images and say what each frame is.

Run it beside `./lingbot imagine`, in this project's environment (`./lingbot python docs/examples/watch.py`) or in any
ROS 2 installation. `--frames N` ends after N frames.
"""

import argparse

import numpy as np
import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from sensor_msgs.msg import Image


class Watcher(Node):
    """Prints one line per imagined frame."""

    def __init__(self) -> None:
        super().__init__("watcher")
        self.frames = 0
        self.subscription = self.create_subscription(Image, "image_raw", self.on_image, 10)
        self.patience = self.create_timer(5.0, self.explain_silence)

    def explain_silence(self) -> None:
        """Say once why no image may have come."""
        self.patience.cancel()
        topic = self.subscription.topic_name
        if self.frames:
            return
        if not self.count_publishers(topic):
            print(
                f"nobody publishes {topic}: is the node active, on this ROS_DOMAIN_ID and in this namespace?",
                flush=True,
            )
            return
        print(
            f"{topic} has a publisher, but no image has come. Is a session active (`status`)? Do both programs run as "
            "one user? Fast DDS does not reach another user's program by shared memory: set "
            "FASTDDS_BUILTIN_TRANSPORTS=UDPv4 for both.",
            flush=True,
        )

    def on_image(self, message: Image) -> None:
        """Print size, imagined time and mean brightness of a frame."""
        self.frames += 1
        pixels = np.frombuffer(message.data, np.uint8).reshape(message.height, message.width, 3)
        imagined_s = message.header.stamp.sec + message.header.stamp.nanosec * 1e-9
        print(
            f"frame {self.frames}: {message.width}x{message.height} {message.encoding}, "
            f"imagined time {imagined_s:.2f} s, brightness {pixels.mean():.1f}",
            flush=True,
        )


def main() -> None:
    """Watch until Ctrl-C, or for so many frames."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=0, help="end after so many (default: never)")
    args, ros_arguments = parser.parse_known_args()
    rclpy.init(args=ros_arguments)
    watcher = Watcher()
    try:
        while not args.frames or watcher.frames < args.frames:
            rclpy.spin_once(watcher, timeout_sec=0.5)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        watcher.destroy_node()
        rclpy.try_shutdown()


if __name__ == "__main__":
    main()
