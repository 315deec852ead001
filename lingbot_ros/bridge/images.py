"""Images in and out of messages, with one copy."""

import cv2
import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from lingbot_ros.errors import InputError
from lingbot_ros.recording.images import compressed_to_rgb, image_to_rgb

__all__ = ["compressed_to_rgb", "image_to_rgb", "rgb_to_compressed", "rgb_to_image"]


def rgb_to_image(rgb: NDArray[np.uint8], header: Header) -> Image:
    """A `rgb8` message of a uint8 [H, W, 3] array."""
    height, width, _ = rgb.shape
    message = Image(header=header, height=height, width=width, encoding="rgb8", is_bigendian=0, step=3 * width)
    # Filling the array that the message already has copies once; assigning to `data` would copy element by element.
    message.data.frombytes(np.ascontiguousarray(rgb).data.cast("B"))
    return message


def grey_to_image(grey: NDArray[np.uint8], header: Header) -> Image:
    """A `mono8` message of a uint8 [H, W] array."""
    height, width = grey.shape
    message = Image(header=header, height=height, width=width, encoding="mono8", is_bigendian=0, step=width)
    message.data.frombytes(np.ascontiguousarray(grey).data.cast("B"))
    return message


def rgb_to_compressed(rgb: NDArray[np.uint8], header: Header, quality: int) -> CompressedImage:
    """A JPEG message of a uint8 [H, W, 3] array; quality 1..100."""
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    encoded, data = cv2.imencode(".jpg", bgr, (cv2.IMWRITE_JPEG_QUALITY, quality))
    if not encoded:
        raise InputError("image", f"{list(rgb.shape)} {rgb.dtype}", "JPEG cannot hold it; use image_raw")
    message = CompressedImage(header=header, format="rgb8; jpeg compressed bgr8")
    message.data.frombytes(np.ascontiguousarray(data).data.cast("B"))
    return message
