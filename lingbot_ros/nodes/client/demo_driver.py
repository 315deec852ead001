"""A robot for demonstrations: looks at each frame and answers with an action, over the real topics."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import Image as ImageMessage

from lingbot_msgs.msg import FrameInfo, ImaginationStatus, RobotAction
from lingbot_ros.bridge.images import image_to_rgb
from lingbot_ros.nodes import qos
from lingbot_ros.runtime.records import Image
from lingbot_ros.tasks.policy import Policy

# A frame that takes longer than this is not coming: one was lost while the two nodes were finding each other.
_PATIENCE_S = 1.0


@dataclass
class DriverCounts:
    """What came and went so far. latencies_s: action published here -> first frame that used it received here."""

    actions: int = 0
    frames: int = 0
    chunk: int = 0
    last_frame_index: int = 0
    latencies_s: list[float] = field(default_factory=list)


class DemoDriver(Node):
    """Publishes one action per frame received. `on_frame` gets each image, uint8 [H, W, 3] RGB, and its trust, 0..1 or
    NaN, once both have come."""

    def __init__(
        self, policy: Policy, on_frame: Callable[[Image, float], None], period_s: float, namespace: str = ""
    ) -> None:
        super().__init__("demo_driver", namespace=namespace)
        self._policy, self._on_frame = policy, on_frame
        self.counts = DriverCounts()
        self.status: ImaginationStatus | None = None
        self._sent_s: dict[int, float] = {}
        self._unmatched: dict[tuple[int, int], Image] = {}  # by stamp, in order of arrival
        self._trusts: dict[tuple[int, int], float] = {}
        self._frame: Image | None = None
        self._session_id = ""
        self._last_action_s = time.monotonic()
        self._publisher = self.create_publisher(RobotAction, "action", qos.reliable(10))
        self.create_subscription(ImageMessage, "image_raw", self._on_image, qos.IMAGE)
        self.create_subscription(FrameInfo, "frame_info", self._on_info, qos.FRAME_INFO)
        self.create_subscription(ImaginationStatus, "status", self._on_status, qos.STATUS)
        self.create_timer(max(period_s, 0.02), self._on_timer)

    def begin(self, session_id: str, frame: Image | None) -> None:
        """Drive this session and no other; it has started from `frame`, or from an image that is still to come."""
        self._session_id = session_id
        if frame is not None:
            self._frame = frame
            self._act()

    def _on_image(self, message: ImageMessage) -> None:
        self._frame = image_to_rgb(message)
        self.counts.frames += 1
        self._unmatched[_stamp(message)] = self._frame
        self._match(_stamp(message))
        self._act()

    def _on_info(self, info: FrameInfo) -> None:
        self.counts.chunk, self.counts.last_frame_index = info.chunk_index, info.frame_index
        self._trusts[_stamp(info)] = info.trust
        self._match(_stamp(info))
        sent_s = self._sent_s.pop(info.control_id, None)
        if sent_s is not None:
            self.counts.latencies_s.append(time.monotonic() - sent_s)

    def show_unmatched(self) -> None:
        """Show the images whose frame_info has not come, without a trust: at the end there is no use in waiting."""
        for stamp in list(self._unmatched):
            self._on_frame(self._unmatched.pop(stamp), math.nan)

    def _match(self, stamp: tuple[int, int]) -> None:
        """Show the image of `stamp` if its trust is known, and before it those whose frame_info was lost."""
        if stamp not in self._unmatched or stamp not in self._trusts:
            return
        trust = self._trusts[stamp]
        self._trusts.clear()
        for earlier in list(self._unmatched):
            self._on_frame(self._unmatched.pop(earlier), trust if earlier == stamp else math.nan)
            if earlier == stamp:
                return

    def _on_status(self, status: ImaginationStatus) -> None:
        self.status = status

    def _on_timer(self) -> None:
        if self._frame is not None and time.monotonic() - self._last_action_s > _PATIENCE_S:
            self._act()

    def _act(self) -> None:
        if self._frame is None or not self._session_id:
            return
        self.counts.actions += 1
        action = RobotAction(id=self.counts.actions, values=np.asarray(self._policy.act(self._frame), np.float64))
        action.session_id = self._session_id
        action.header.stamp = self.get_clock().now().to_msg()
        self._last_action_s = self._sent_s[action.id] = time.monotonic()
        self._publisher.publish(action)


def _stamp(message: ImageMessage | FrameInfo) -> tuple[int, int]:
    return message.header.stamp.sec, message.header.stamp.nanosec
