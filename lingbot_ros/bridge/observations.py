"""Images of a real camera -> what a session can observe."""

import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import Image

from lingbot_ros.bridge.images import image_to_rgb
from lingbot_ros.bridge.stamps import to_nanoseconds
from lingbot_ros.errors import InputError
from lingbot_ros.model.framing import fit_image
from lingbot_ros.runtime.real_images import RealImage
from lingbot_ros.world import WorldInfo


def real_image(rgb: NDArray[np.uint8], info: WorldInfo, stamp_ns: int, received_s: float) -> RealImage:
    """An image uint8 [h, w, 3] RGB of any size, brought to the model's as a session's first image is."""
    height, width, _ = rgb.shape
    return RealImage(fit_image(rgb, (info.height, info.width), info.fit), (height, width), stamp_ns, received_s)


def real_images(messages: Sequence[Image], controls: int, info: WorldInfo) -> list[RealImage]:
    """The images of a request with so many controls. Raises InputError naming the image and its fault."""
    if len(messages) != controls:
        raise InputError("images", f"{len(messages)} images and {controls} controls", "give one control per image")
    received_s = time.monotonic()
    return [
        real_image(image_to_rgb(message, f"images[{n}]"), info, to_nanoseconds(message.header.stamp), received_s)
        for n, message in enumerate(messages)
    ]
