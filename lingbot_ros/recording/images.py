"""Images out of messages, with one copy. Any object with the message's fields will do, so that this needs no ROS."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lingbot_ros.errors import InputError

# encoding -> (numpy type, channels, OpenCV conversion to RGB or None)
_ENCODINGS: dict[str, tuple[np.dtype[Any], int, int | None]] = {
    "rgb8": (np.dtype(np.uint8), 3, None),
    "bgr8": (np.dtype(np.uint8), 3, cv2.COLOR_BGR2RGB),
    "rgba8": (np.dtype(np.uint8), 4, cv2.COLOR_RGBA2RGB),
    "bgra8": (np.dtype(np.uint8), 4, cv2.COLOR_BGRA2RGB),
    "mono8": (np.dtype(np.uint8), 1, cv2.COLOR_GRAY2RGB),
    "16UC1": (np.dtype(np.uint16), 1, cv2.COLOR_GRAY2RGB),
    "mono16": (np.dtype(np.uint16), 1, cv2.COLOR_GRAY2RGB),
}


def image_to_rgb(message: Any, field: str = "image") -> NDArray[np.uint8]:
    """The image of a sensor_msgs/Image as a new uint8 [H, W, 3] RGB array, whatever its row step and byte order.

    Sixteen-bit greys map linearly: 0 is black, 65535 white. Alpha is dropped.
    Raises InputError for other encodings and for sizes that do not fit the data.
    """
    if message.encoding not in _ENCODINGS:
        raise InputError(f"{field}.encoding", f"'{message.encoding}'", f"convert to one of {', '.join(_ENCODINGS)}")
    dtype, channels, conversion = _ENCODINGS[message.encoding]
    height, width, step = message.height, message.width, message.step
    row_bytes = width * channels * dtype.itemsize
    if not height or not width:
        raise InputError(f"{field}.height, {field}.width", f"{height}, {width}", "give an image of at least one pixel")
    if step < row_bytes:
        raise InputError(
            f"{field}.step", step, f"give at least {row_bytes} bytes for {width} pixels of {message.encoding}"
        )
    if len(message.data) != step * height:
        raise InputError(f"{field}.data", f"{len(message.data)} bytes", f"give step x height = {step * height} bytes")
    rows = np.frombuffer(message.data, np.uint8).reshape(height, step)[:, :row_bytes]
    pixels = np.ascontiguousarray(rows).view(dtype.newbyteorder(">" if message.is_bigendian else "<"))
    if dtype.itemsize == 2:
        pixels = (pixels.astype(np.uint32) * 255 // 65535).astype(np.uint8)
    pixels = pixels.reshape(height, width, channels)
    return pixels.copy() if conversion is None else np.asarray(cv2.cvtColor(pixels, conversion), np.uint8)


def compressed_to_rgb(message: Any, field: str = "image") -> NDArray[np.uint8]:
    """Decode the JPEG or PNG of a sensor_msgs/CompressedImage to uint8 [H, W, 3] RGB.

    Raises InputError for anything that is not one.
    """
    data = np.frombuffer(message.data, np.uint8)
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    if picture is None:
        raise InputError(f"{field}.data", f"{data.size} bytes of '{message.format}'", "give a whole JPEG or PNG file")
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)
