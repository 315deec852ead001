"""Topics that change what is imagined rather than drive it: images and text."""

from collections.abc import Callable
from typing import Any

from builtin_interfaces.msg import Time
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import String

from lingbot_ros.bridge.images import compressed_to_rgb, image_to_rgb
from lingbot_ros.bridge.stamps import to_nanoseconds
from lingbot_ros.errors import ErrorCode, LingbotError
from lingbot_ros.nodes.imagination.context import NodeContext
from lingbot_ros.runtime.records import Image as Rgb
from lingbot_ros.runtime.records import StartRequest


class Seeding:
    """`refuse` is called with errors that occur later, on the worker's thread."""

    def __init__(self, running: NodeContext, refuse: Callable[[str, Any], None]) -> None:
        self._running, self._refuse = running, refuse

    def on_image(self, message: Image) -> None:
        self._require_start_on_image()
        self._seed(image_to_rgb(message, "seed_image"), message.header.stamp)

    def on_compressed(self, message: CompressedImage) -> None:
        self._require_start_on_image()
        self._seed(compressed_to_rgb(message, "seed_image"), message.header.stamp)

    def on_prompt(self, message: String) -> None:
        """A publisher that keeps its messages reaches both subscriptions; saying the same again changes nothing."""
        self._submit("prompt", lambda served: served.set_prompt(message.data))

    def _require_start_on_image(self) -> None:
        """Before an image is decoded, which takes memory."""
        if not self._running.config.start_on_image:
            raise LingbotError("input.start_on_image is false; call ~/start_session, or set it", ErrorCode.UNSUPPORTED)

    def _seed(self, image: Rgb, stamp: Time) -> None:
        self._running.warn_of_stretch(image.shape)
        start_ns = to_nanoseconds(stamp) or self._running.now_ns()
        request = StartRequest(start_stamp_ns=start_ns, image=image, replace_active=True)
        self._submit("seed_image", lambda served: served.start_session(request))

    def _submit(self, topic: str, call: Callable[[Any], object]) -> None:
        pending = self._running.worker.submit(call)
        pending.add_done_callback(lambda done: self._refuse(topic, done.exception()) if done.exception() else None)
