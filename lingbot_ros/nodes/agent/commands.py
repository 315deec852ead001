"""What the agent publishes: keys or velocities, prompts, and what it decided."""

import json
import threading
from typing import Any

from geometry_msgs.msg import Twist, TwistStamped
from rclpy.lifecycle import LifecycleNode
from std_msgs.msg import String

from lingbot_ros.agent.decision import Velocity
from lingbot_ros.nodes import qos

_FRAME = "base_link"


class Commands:
    """Silent unless `open`; closing it stops the robot, and nothing is published after that.

    After a signal ROS is gone before the node ends, and with it the way to say stop: whoever takes keys or velocities
    stands still when they cease, as the imagination node does (input.action_timeout).
    """

    def __init__(self, node: LifecycleNode, keys: bool, stamped: bool) -> None:
        self._node, self._is_keys, self._stamped = node, keys, stamped
        self._lock, self._opened, self._moving = threading.Lock(), False, False
        self._keys = node.create_publisher(String, "keys", qos.reliable(10)) if keys else None
        kind = TwistStamped if stamped else Twist
        self._velocity = None if keys else node.create_publisher(kind, "cmd_vel", qos.reliable(10))
        self._prompt = node.create_publisher(String, "prompt", qos.PROMPT_KEPT)
        self._decision = node.create_publisher(String, "~/decision", qos.reliable(10))

    def open(self) -> None:
        with self._lock:
            self._opened = True

    def close(self) -> None:
        """Idempotent."""
        self.stop()
        with self._lock:
            self._opened = False

    def move(self, command: str | Velocity) -> None:
        """Keys that are down, or the velocity of this moment."""
        with self._lock:
            if self._open:
                self._moving = True
                self._send(command)

    def stand(self) -> None:
        """Say that nothing moves, also where that was said before: a world that waits for a command goes on by it."""
        with self._lock:
            if self._open:
                self._send("" if self._is_keys else Velocity())

    def stop(self) -> None:
        """Release the keys, or stand still; said once."""
        with self._lock:
            if self._open and self._moving:
                self._send("" if self._is_keys else Velocity())
                self._moving = False

    def say(self, prompt: str) -> None:
        with self._lock:
            if self._open:
                self._prompt.publish(String(data=prompt))

    def report(self, **what: Any) -> None:
        """JSON on ~/decision, for logs and bags."""
        with self._lock:
            if self._open:
                self._decision.publish(String(data=json.dumps(what)))

    def destroy(self) -> None:
        for publisher in (self._keys, self._velocity, self._prompt, self._decision):
            if publisher is not None:
                self._node.destroy_publisher(publisher)

    @property
    def _open(self) -> bool:
        return self._opened and self._node.context.ok()

    def _send(self, command: str | Velocity) -> None:
        if self._keys is not None:
            self._keys.publish(String(data=command))
            return
        assert self._velocity is not None and isinstance(command, Velocity)
        twist = Twist()
        twist.linear.x, twist.linear.y, twist.angular.z = command.forward, command.left, command.turn
        if not self._stamped:
            self._velocity.publish(twist)
            return
        message = TwistStamped(twist=twist)
        message.header.stamp, message.header.frame_id = self._node.get_clock().now().to_msg(), _FRAME
        self._velocity.publish(message)
