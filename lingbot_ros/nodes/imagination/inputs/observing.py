"""The topic `observed_image`: what a real camera saw, for the active session to go on from."""

import time
from typing import Any

from sensor_msgs.msg import CompressedImage, Image

from lingbot_ros.bridge.images import compressed_to_rgb, image_to_rgb
from lingbot_ros.bridge.observations import real_image
from lingbot_ros.bridge.stamps import to_nanoseconds
from lingbot_ros.errors import ErrorCode, LingbotError
from lingbot_ros.nodes.imagination.context import NodeContext
from lingbot_ros.runtime.records import Image as Rgb
from lingbot_ros.runtime.stamp_order import StampOrder

TOPIC = "observed_image"


class Observing:
    """Decodes, brings to the model's size and stores. What an image is good for is decided before the next chunk."""

    def __init__(self, running: NodeContext) -> None:
        self._running, config = running, running.config.inputs
        self._order = StampOrder(TOPIC, strictly=True, pause_s=config.pause_s, max_age_s=config.max_age_s)

    def on_image(self, message: Image) -> None:
        self._require_following()
        self._put(message, image_to_rgb(message, TOPIC))

    def on_compressed(self, message: CompressedImage) -> None:
        self._require_following()
        self._put(message, compressed_to_rgb(message, TOPIC))

    def _require_following(self) -> None:
        if not self._running.config.worker.observe.every:
            raise LingbotError(
                f"{TOPIC}: observe.every is 0; set it to say how many frames one real image is for, or call ~/observe",
                ErrorCode.UNSUPPORTED,
            )

    def _put(self, message: Any, rgb: Rgb) -> None:
        now_ns, stamp_ns = self._running.now_ns(), to_nanoseconds(message.header.stamp)
        self._order.check(stamp_ns, now_ns)
        self._running.worker.put_image(real_image(rgb, self._running.info, stamp_ns or now_ns, time.monotonic()))
