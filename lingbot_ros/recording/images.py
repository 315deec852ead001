"""Images out of messages. Any object with the message's fields will do, so that this needs no ROS."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lingbot_ros.errors import InputError
from lingbot_ros.input_files.encoded_image import MAX_PIXELS, check_encoded, decode_image


@dataclass(frozen=True)
class _Encoding:
    """conversion: OpenCV's to RGB, or None. rows: rows of data for each row of the image, in halves."""

    dtype: type[np.uint8] | type[np.uint16]
    channels: int
    conversion: int | None
    half_rows: int = 2


# OpenCV names a Bayer pattern by its second row and second column, ROS by its first two pixels.
_BAYER = {
    "rggb": cv2.COLOR_BayerBG2RGB,
    "bggr": cv2.COLOR_BayerRG2RGB,
    "gbrg": cv2.COLOR_BayerGR2RGB,
    "grbg": cv2.COLOR_BayerGB2RGB,
}
_UYVY, _YUYV = (_Encoding(np.uint8, 2, c) for c in (cv2.COLOR_YUV2RGB_UYVY, cv2.COLOR_YUV2RGB_YUY2))
_ENCODINGS = {
    "rgb8": _Encoding(np.uint8, 3, None),
    "bgr8": _Encoding(np.uint8, 3, cv2.COLOR_BGR2RGB),
    "rgba8": _Encoding(np.uint8, 4, cv2.COLOR_RGBA2RGB),
    "bgra8": _Encoding(np.uint8, 4, cv2.COLOR_BGRA2RGB),
    "mono8": _Encoding(np.uint8, 1, cv2.COLOR_GRAY2RGB),
    "rgb16": _Encoding(np.uint16, 3, None),
    "bgr16": _Encoding(np.uint16, 3, cv2.COLOR_BGR2RGB),
    "rgba16": _Encoding(np.uint16, 4, cv2.COLOR_RGBA2RGB),
    "bgra16": _Encoding(np.uint16, 4, cv2.COLOR_BGRA2RGB),
    "mono16": _Encoding(np.uint16, 1, cv2.COLOR_GRAY2RGB),
    "8UC1": _Encoding(np.uint8, 1, cv2.COLOR_GRAY2RGB),
    "8UC3": _Encoding(np.uint8, 3, None),
    "16UC1": _Encoding(np.uint16, 1, cv2.COLOR_GRAY2RGB),
    "yuv422": _UYVY,
    "uyvy": _UYVY,
    "yuv422_yuy2": _YUYV,
    "yuyv": _YUYV,
    "nv12": _Encoding(np.uint8, 1, cv2.COLOR_YUV2RGB_NV12, half_rows=3),
    "nv21": _Encoding(np.uint8, 1, cv2.COLOR_YUV2RGB_NV21, half_rows=3),
    **{f"bayer_{name}8": _Encoding(np.uint8, 1, conversion) for name, conversion in _BAYER.items()},
    **{f"bayer_{name}16": _Encoding(np.uint16, 1, conversion) for name, conversion in _BAYER.items()},
}
IMAGE_ENCODINGS = tuple(_ENCODINGS)
"""Raw encodings that are understood. 8UC3 is taken as RGB, as cv_bridge takes it when it is asked for rgb8."""


def image_to_rgb(message: Any, field: str = "image") -> NDArray[np.uint8]:
    """The image of a sensor_msgs/Image as a new uint8 [H, W, 3] RGB array, whatever its row step and byte order.

    Sixteen-bit values map linearly: 0 is black, 65535 white. Alpha is dropped.
    Raises InputError for other encodings and for sizes that do not fit the data.
    """
    encoding = check_raw(message, field)
    dtype = np.dtype(encoding.dtype)
    rows = np.frombuffer(message.data, np.uint8).reshape(-1, message.step)
    row_bytes = message.width * encoding.channels * dtype.itemsize
    pixels = np.ascontiguousarray(rows[:, :row_bytes]).view(dtype.newbyteorder(">" if message.is_bigendian else "<"))
    pixels = pixels.reshape(rows.shape[0], message.width, encoding.channels)
    if dtype.itemsize == 2:
        pixels = cv2.convertScaleAbs(pixels.astype(np.uint16), alpha=255 / 65535).reshape(pixels.shape)
    if encoding.conversion is None:
        return np.array(pixels, np.uint8)
    return np.asarray(cv2.cvtColor(np.asarray(pixels, np.uint8), encoding.conversion), np.uint8)


def compressed_to_rgb(message: Any, field: str = "image") -> NDArray[np.uint8]:
    """Decode the JPEG or PNG of a sensor_msgs/CompressedImage to uint8 [H, W, 3] RGB.

    Raises InputError for anything that is not one, for a damaged one, and for one that is too large.
    """
    _refuse_depth(message, field)
    try:
        return decode_image(bytes(message.data), f"{field}.data")
    except InputError as error:
        raise _of_format(error, message) from error


def check_compressed(message: Any, field: str = "image") -> None:
    """Raise InputError where `compressed_to_rgb` would, as far as that shows without decoding."""
    _refuse_depth(message, field)
    try:
        check_encoded(bytes(message.data), f"{field}.data")
    except InputError as error:
        raise _of_format(error, message) from error


def check_raw(message: Any, field: str = "image") -> _Encoding:
    """How an image is encoded. Raises InputError where `image_to_rgb` would."""
    if message.encoding not in _ENCODINGS:
        fix = f"convert to one of {', '.join(_ENCODINGS)}"
        if message.encoding.startswith(("32FC", "64FC")):
            fix = f"that is depth or other measurements, not colours; {fix}"
        raise InputError(f"{field}.encoding", f"'{message.encoding}'", fix)
    encoding = _ENCODINGS[message.encoding]
    height, width, step = message.height, message.width, message.step
    row_bytes = width * encoding.channels * np.dtype(encoding.dtype).itemsize
    if not height or not width:
        raise InputError(f"{field}.height, {field}.width", f"{height}, {width}", "give an image of at least one pixel")
    if height * width > MAX_PIXELS:
        raise InputError(f"{field}.height, {field}.width", f"{height}, {width}", f"give at most {MAX_PIXELS} pixels")
    if encoding.half_rows == 3 and (height % 2 or width % 2):
        raise InputError(f"{field}.height, {field}.width", f"{height}, {width}", f"{message.encoding} has even ones")
    if encoding in (_UYVY, _YUYV) and width % 2:
        raise InputError(f"{field}.width", width, f"{message.encoding} has an even one")
    if "bayer" in message.encoding and min(height, width) < 2:
        raise InputError(f"{field}.height, {field}.width", f"{height}, {width}", "a Bayer pattern has 2x2 pixels")
    if step < row_bytes:
        raise InputError(
            f"{field}.step", step, f"give at least {row_bytes} bytes for {width} pixels of {message.encoding}"
        )
    needed = step * height * encoding.half_rows // 2
    if len(message.data) != needed:
        what = "step x height" if encoding.half_rows == 2 else "step x height x 1.5"
        raise InputError(f"{field}.data", f"{len(message.data)} bytes", f"give {what} = {needed} bytes")
    return encoding


def _of_format(error: InputError, message: Any) -> InputError:
    return InputError(error.field, f"{error.value} of '{message.format}'", error.fix)


def _refuse_depth(message: Any, field: str) -> None:
    if "compressedDepth" in message.format:
        fix = "that is a depth image of compressedDepth, not colours; give the topic of the colour image"
        raise InputError(f"{field}.format", f"'{message.format}'", fix)
