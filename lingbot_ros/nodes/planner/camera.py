"""The newest image of the topic image, handed from its callback to the thread that plans."""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sensor_msgs.msg import CompressedImage, Image

from lingbot_ros.bridge.images import compressed_to_rgb, image_to_rgb
from lingbot_ros.model.autoencoder import resize_image
from lingbot_ros.nodes import qos
from lingbot_ros.nodes.planner.context import PlannerContext
from lingbot_ros.planning.futures import Frames


@dataclass(frozen=True)
class Seen:
    """The image number `number`, uint8 [H, W, 3] RGB at the model's size. arrived_s: monotonic."""

    number: int
    image: Frames
    arrived_s: float


class Camera:
    """Images of any size, resized to the model's. Those that cannot be read are logged and count as none."""

    def __init__(self, running: PlannerContext) -> None:
        self._running, self._newest = running, Seen(0, np.empty((0, 0, 3), np.uint8), -math.inf)
        self._news = threading.Condition()
        node, group = running.node, running.inputs
        self._subscriptions = [
            node.create_subscription(kind, topic, self._taking(topic, decode), qos.IMAGE, callback_group=group)
            for kind, topic, decode in (
                (Image, "image", image_to_rgb),
                (CompressedImage, "image/compressed", compressed_to_rgb),
            )
        ]

    @property
    def newest(self) -> Seen:
        """The last one; number 0 before the first."""
        return self._newest

    def wait(self, after: int, until_s: float) -> Seen | None:
        """The newest one with a number above `after`, waited for until `until_s` (monotonic)."""
        with self._news:
            self._news.wait_for(lambda: self._newest.number > after, max(0.0, until_s - time.monotonic()))
            return self._newest if self._newest.number > after else None

    def destroy(self) -> None:
        for subscription in self._subscriptions:
            self._running.node.destroy_subscription(subscription)

    def _taking(self, topic: str, decode: Callable[[Any], Frames]) -> Callable[[Any], None]:
        info = self._running.world.info

        def take(message: Any) -> None:
            if not self._running.active:
                return
            try:
                image = resize_image(decode(message), info.height, info.width)
            except Exception as error:  # the boundary to whoever publishes
                self._running.refuse(topic, error)
                return
            with self._news:
                self._newest = Seen(self._newest.number + 1, image, time.monotonic())
                self._news.notify_all()

        return take
