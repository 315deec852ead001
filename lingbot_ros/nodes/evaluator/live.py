"""The topics image and action, taken in callbacks and handed to the thread that watches them."""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from lingbot_msgs.msg import RobotAction
from lingbot_ros.bridge.images import compressed_to_rgb, image_to_rgb
from lingbot_ros.bridge.stamps import to_nanoseconds
from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.policies.contract import Frame
from lingbot_ros.model.autoencoder import resize_image
from lingbot_ros.nodes import qos
from lingbot_ros.nodes.evaluator.context import EvaluatorContext

_IMAGES_WAITING = 64
_ACTIONS_WAITING = 1000
_STOP_S = 10.0


@dataclass(frozen=True)
class SeenImage:
    """An image at the model's size, uint8 [H, W, 3] RGB, and its header, whose stamp is never zero."""

    image: Frame
    header: Header

    @property
    def stamp_ns(self) -> int:
        return to_nanoseconds(self.header.stamp)


@dataclass(frozen=True)
class SeenAction:
    """An action [dim] and when it was given."""

    values: NDArray[np.float64]
    stamp_ns: int


class LiveInputs:
    """Images and actions in order of arrival, on one thread. When it falls behind, the oldest images are dropped.

    An image is held for up to half a frame while the action that led to it is not here yet: DDS orders the messages of
    one topic, not those of two.
    """

    def __init__(
        self,
        running: EvaluatorContext,
        on_image: Callable[[SeenImage], None],
        on_action: Callable[[SeenAction], None],
    ) -> None:
        self._running, self._on_image, self._on_action = running, on_image, on_action
        self._period_s = 1.0 / running.model.fps
        self._images: deque[SeenImage] = deque(maxlen=_IMAGES_WAITING)
        self._actions: deque[SeenAction] = deque(maxlen=_ACTIONS_WAITING)
        self._newest_action_ns = -1
        self._news = threading.Condition()
        self._ended = False
        node, group = running.node, running.inputs
        self._subscriptions = [
            node.create_subscription(kind, topic, self._taking(topic, take), profile, callback_group=group)
            for kind, topic, take, profile in (
                (Image, "image", lambda message: self._see(message, image_to_rgb), qos.IMAGE),
                (CompressedImage, "image/compressed", lambda m: self._see(m, compressed_to_rgb), qos.IMAGE),
                (RobotAction, "action", self._act, qos.reliable(_ACTIONS_WAITING)),
            )
        ]
        self._thread = threading.Thread(target=self._work, name="monitor", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread; what waits is dropped."""
        with self._news:
            self._ended = True
            self._news.notify_all()
        self._thread.join(_STOP_S)

    def destroy(self) -> None:
        for subscription in self._subscriptions:
            self._running.node.destroy_subscription(subscription)

    def _taking(self, topic: str, take: Callable[[Any], None]) -> Callable[[Any], None]:
        def callback(message: Any) -> None:
            if not self._running.active:
                return
            try:
                take(message)
            except Exception as error:  # the boundary to whoever publishes
                self._running.refuse(topic, error)

        return callback

    def _see(self, message: Any, decode: Callable[[Any], Frame]) -> None:
        model = self._running.model
        image = resize_image(decode(message), model.height, model.width)
        if not to_nanoseconds(message.header.stamp):
            message.header.stamp = self._running.now()
        with self._news:
            self._images.append(SeenImage(image, message.header))
            self._news.notify_all()

    def _act(self, message: RobotAction) -> None:
        values = np.array(message.values, np.float64)
        if not len(values) or not np.isfinite(values).all():
            raise InputError("action.values", values.tolist(), "give finite values")
        stamp_ns = to_nanoseconds(message.header.stamp) or to_nanoseconds(self._running.now())
        with self._news:
            self._actions.append(SeenAction(values, stamp_ns))
            self._newest_action_ns = stamp_ns
            self._news.notify_all()

    def _work(self) -> None:
        while True:
            with self._news:
                while not (self._ended or self._images or self._actions):
                    self._news.wait()
                if self._ended:
                    return
                if self._images:
                    self._await_action(self._images[0])
                actions, image = list(self._actions), self._images.popleft() if self._images else None
                self._actions.clear()
            for action in actions:
                self._tell(self._on_action, action, "action")
            if image is not None:
                self._tell(self._on_image, image, "image")

    def _await_action(self, image: SeenImage) -> None:
        """Called with the lock held."""
        period_ns = round(self._period_s * 1e9)
        until_s = time.monotonic() + self._period_s / 2
        while not self._ended and self._newest_action_ns < image.stamp_ns - period_ns * 3 // 2:
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                return
            self._news.wait(left_s)

    def _tell(self, tell: Callable[[Any], None], what: Any, topic: str) -> None:
        try:
            tell(what)
        except Exception as error:  # the boundary to whoever publishes; the thread must live on
            self._running.refuse(topic, error)
