"""Drive an imagined world with velocities, as one drives a robot: 10 messages a second on `cmd_vel`.

Run it beside `./lingbot python docs/examples/world.py --params-file config/drive_pusht.yaml`. It goes ahead,
turns left, and so on. `--frames N` ends after N frames; then the velocity is stale, and what it drove stands.
"""

import argparse
import time

import rclpy
from geometry_msgs.msg import TwistStamped
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node

from lingbot_msgs.msg import FrameInfo


class Driver(Node):
    """A velocity every 100 ms: one second ahead, one second to the left."""

    def __init__(self) -> None:
        super().__init__("driver")
        self.began_s, self.frames = time.monotonic(), 0
        self.velocities = self.create_publisher(TwistStamped, "cmd_vel", 1)
        self.create_subscription(FrameInfo, "frame_info", self.on_info, 10)
        self.create_timer(0.1, self.on_timer)

    def on_timer(self) -> None:
        """Metres and radians per second of the body: x ahead, y left, z up."""
        message = TwistStamped()
        message.header.stamp = self.get_clock().now().to_msg()
        if int(time.monotonic() - self.began_s) % 2:
            message.twist.angular.z = 1.0
        else:
            message.twist.linear.x = 1.0
        self.velocities.publish(message)

    def on_info(self, info: FrameInfo) -> None:
        """Where the velocities led: a pose for camera models, an action for the others."""
        self.frames += 1
        place = info.camera_pose.position
        where = f"x {place.x:.2f} y {place.y:.2f} m" if info.has_camera_pose else f"action {list(info.control)}"
        print(f"frame {info.frame_index}: {where}", flush=True)


def main() -> None:
    """Drive until Ctrl-C, or for so many frames."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=0, help="end after so many (default: never)")
    args, ros_arguments = parser.parse_known_args()
    rclpy.init(args=ros_arguments)
    driver = Driver()
    try:
        while not args.frames or driver.frames < args.frames:
            rclpy.spin_once(driver, timeout_sec=0.1)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        driver.destroy_node()
        rclpy.try_shutdown()


if __name__ == "__main__":
    main()
