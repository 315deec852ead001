"""The images of an image topic, each decoded once, at the size of the set."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.datasets.bag.open_bag import Bag
from lingbot_ros.errors import InputError
from lingbot_ros.model.autoencoder import resize_image
from lingbot_ros.recording.images import check_compressed, check_raw, compressed_to_rgb, image_to_rgb

_COMPRESSED = "sensor_msgs/msg/CompressedImage"
IMAGE_TYPES = ("sensor_msgs/msg/Image", _COMPRESSED)
"""Raw in an encoding of `IMAGE_ENCODINGS`; compressed as JPEG or PNG."""


def image_fault(message: Any, field: str) -> InputError | None:
    """Why an image cannot be used, as far as that shows without decoding it. `message` may be an error itself."""
    if isinstance(message, InputError):
        return message
    try:
        (check_raw if hasattr(message, "encoding") else check_compressed)(message, field)
    except InputError as error:
        return error
    return None


Decode = Callable[[Any, str, tuple[int, int]], NDArray[Any]]
"""Message, its name for errors, size of the frame (height, width) -> the frame."""


def rgb_of(message: Any, field: str, size: tuple[int, int]) -> NDArray[np.uint8]:
    """The image, resized as a session resizes its first image: uint8 [height, width, 3] RGB. Raises InputError."""
    return resize_image(decoded(message, field), *size)


def decoded(message: Any, field: str) -> NDArray[np.uint8]:
    """An image of one of `IMAGE_TYPES` at its own size: uint8 [h, w, 3] RGB. Raises InputError."""
    return (image_to_rgb if hasattr(message, "encoding") else compressed_to_rgb)(message, field)


class Images:
    """Reads a topic from front to back and hands out its images by message number, as `decode` makes them.

    `wanted`: the number of every image that will be taken, as often as it will be. Only what was passed and is still
    to be taken is held, so that `take` in the order of the recording needs next to no memory.
    """

    def __init__(
        self,
        bag: Bag,
        topic: str,
        kinds: tuple[str, ...],
        size: tuple[int, int],
        wanted: Iterable[int],
        decode: Decode = rgb_of,
    ) -> None:
        self._topic, self._size, self._decode = topic, size, decode
        self._uses = Counter(wanted)
        self._messages = enumerate(bag.messages(topic, kinds))
        self._held: dict[int, NDArray[Any]] = {}

    def take(self, number: int) -> NDArray[Any]:
        """Raises InputError for an image that cannot be decoded."""
        while number not in self._held:
            passed, (_, message) = next(self._messages)
            if self._uses[passed]:
                self._held[passed] = self._decode(message, f"{self._topic}, message {passed}", self._size)
        frame = self._held[number]
        self._uses[number] -= 1
        if not self._uses[number]:
            del self._held[number]
        return frame
