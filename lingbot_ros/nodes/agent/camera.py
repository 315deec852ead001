"""The newest image of the topic image_raw, for the threads that ask a model about it."""

import threading
from collections.abc import Callable
from typing import Any

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.lifecycle import LifecycleNode
from sensor_msgs.msg import CompressedImage, Image

from lingbot_ros.agent.language_model import Image as Rgb
from lingbot_ros.bridge.images import compressed_to_rgb, image_to_rgb
from lingbot_ros.nodes import qos
from lingbot_ros.nodes.refusals import refuse


class Camera:
    """Decodes an image when somebody looks at it, not when it comes."""

    def __init__(self, node: LifecycleNode) -> None:
        self._node = node
        self._news = threading.Condition()
        self._number = self._looked_at = 0
        self._decode: Callable[[], Rgb] | None = None
        group = MutuallyExclusiveCallbackGroup()
        self._subscriptions = [
            node.create_subscription(kind, topic, self._taking(decode), qos.IMAGE, callback_group=group)
            for kind, topic, decode in (
                (Image, "image_raw", image_to_rgb),
                (CompressedImage, "image_raw/compressed", compressed_to_rgb),
            )
        ]

    def next_image(self, timeout_s: float) -> Rgb | None:
        """The newest image, unless it was looked at before; then the next one. uint8 [H, W, 3] RGB.

        None when none comes, or none that can be read.
        """
        with self._news:
            self._news.wait_for(lambda: self._number > self._looked_at, timeout_s)
            if self._number == self._looked_at or self._decode is None:
                return None
            self._looked_at, decode = self._number, self._decode
        try:
            return decode()
        except Exception as error:  # the boundary to whoever publishes
            refuse(self._node, "image_raw", error)
            return None

    def destroy(self) -> None:
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)

    def _taking(self, decode: Callable[[Any], Rgb]) -> Callable[[Any], None]:
        def take(message: Any) -> None:
            with self._news:
                self._number, self._decode = self._number + 1, lambda: decode(message)
                self._news.notify_all()

        return take
