"""The images of an image topic, each decoded once, at the size of the set."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.datasets.bag.open_bag import Bag
from lingbot_ros.model.autoencoder import resize_image
from lingbot_ros.recording.images import compressed_to_rgb, image_to_rgb

_COMPRESSED = "sensor_msgs/msg/CompressedImage"
IMAGE_TYPES = ("sensor_msgs/msg/Image", _COMPRESSED)
"""Raw in rgb8, bgr8, rgba8, bgra8, mono8, mono16 or 16UC1; compressed as JPEG or PNG."""


class Images:
    """Reads a topic from front to back and hands out its images by message number.

    `wanted`: the number of every image that will be taken, as often as it will be. Only what was passed and is still
    to be taken is held, so that `take` in the order of the recording needs next to no memory. Frames are resized as a
    session resizes its first image: uint8 [height, width, 3] RGB.
    """

    def __init__(self, bag: Bag, topic: str, kind: str, size: tuple[int, int], wanted: Iterable[int]) -> None:
        self._topic, self._decode, self._size = topic, _decoder(kind), size
        self._uses = Counter(wanted)
        self._messages = enumerate(bag.messages(topic))
        self._held: dict[int, NDArray[np.uint8]] = {}

    def take(self, number: int) -> NDArray[np.uint8]:
        """Raises InputError for an image that cannot be decoded."""
        while number not in self._held:
            passed, (_, message) = next(self._messages)
            if self._uses[passed]:
                picture = self._decode(message, f"{self._topic}, message {passed}")
                self._held[passed] = resize_image(picture, *self._size)
        frame = self._held[number]
        self._uses[number] -= 1
        if not self._uses[number]:
            del self._held[number]
        return frame


def _decoder(kind: str) -> Any:
    return compressed_to_rgb if kind == _COMPRESSED else image_to_rgb
