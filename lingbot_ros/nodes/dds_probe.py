"""Two small nodes that measure a DDS round trip; `lingbot doctor` starts each in a process of its own.

`python -m lingbot_ros.nodes.dds_probe echo` answers until it is ended; `... ask` prints what it measured as JSON.
"""

import json
import statistics
import sys
import time

import rclpy
from rclpy.executors import ExternalShutdownException
from std_msgs.msg import UInt64

from lingbot_ros.home import provide_ros_home

_PING, _PONG = "lingbot_probe/ping", "lingbot_probe/pong"
_ROUNDS = 20
_DISCOVERY_LIMIT_S = 20.0
_ANSWER_LIMIT_S = 5.0
_DEPTH = 10


def echo() -> None:
    """Send back every number, until interrupted."""
    provide_ros_home()
    rclpy.init()
    node = rclpy.create_node("lingbot_probe_echo")
    publisher = node.create_publisher(UInt64, _PONG, _DEPTH)
    node.create_subscription(UInt64, _PING, publisher.publish, _DEPTH)
    try:
        rclpy.spin(node)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        node.destroy_node()
        rclpy.try_shutdown()


def ask() -> dict[str, float]:
    """Measure discovery and round trips. Raises TimeoutError with a sentence when the other side is not reached."""
    provide_ros_home()
    rclpy.init()
    node = rclpy.create_node("lingbot_probe_ask")
    answers: list[int] = []
    publisher = node.create_publisher(UInt64, _PING, _DEPTH)
    subscription = node.create_subscription(UInt64, _PONG, lambda message: answers.append(message.data), _DEPTH)
    try:
        start = time.monotonic()
        while publisher.get_subscription_count() == 0 or subscription.get_publisher_count() == 0:
            if time.monotonic() - start > _DISCOVERY_LIMIT_S:
                raise TimeoutError(f"two processes did not find each other in {_DISCOVERY_LIMIT_S:.0f} s")
            rclpy.spin_once(node, timeout_sec=0.02)
        discovery_s = time.monotonic() - start
        rounds_ms = []
        for number in range(_ROUNDS):
            start = time.monotonic()
            publisher.publish(UInt64(data=number))
            while number not in answers:
                if time.monotonic() - start > _ANSWER_LIMIT_S:
                    raise TimeoutError(f"message {number + 1} of {_ROUNDS} got no answer in {_ANSWER_LIMIT_S:.0f} s")
                rclpy.spin_once(node, timeout_sec=0.1)
            rounds_ms.append(1e3 * (time.monotonic() - start))
    finally:
        node.destroy_node()
        rclpy.try_shutdown()
    return {
        "discovery_s": discovery_s,
        "median_ms": statistics.median(rounds_ms),
        "slowest_ms": max(rounds_ms),
    }


def main() -> int:
    """Play the side named on the command line."""
    if sys.argv[1:] == ["echo"]:
        echo()
        return 0
    try:
        print(json.dumps(ask()))
    except TimeoutError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
