"""The camera of a bag: its intrinsics, and depth images that are aligned with its images."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lingbot_ros.datasets.bag.open_bag import Bag
from lingbot_ros.errors import InputError
from lingbot_ros.recording.cameras import intrinsics_of
from lingbot_ros.runtime.intrinsics import focal_and_centre, scale_intrinsics

DEPTH_TYPES = ("sensor_msgs/msg/Image",)
_INFO_TYPES = ("sensor_msgs/msg/CameraInfo",)
_DEPTH = {"16UC1": (np.uint16, 1e-3), "mono16": (np.uint16, 1e-3), "32FC1": (np.float32, 1.0)}
"""Encodings of depth: numbers, and metres for one of them (REP-118)."""


def find_intrinsics(
    bag: Bag, topic: str | None, images: str, shown: tuple[int, int], size: tuple[int, int], rectified: bool
) -> tuple[str, NDArray[np.float64]]:
    """The topic of CameraInfo, and fx, fy, cx, cy in pixels of frames of `size`, where images are of `shown` (height,
    width).

    topic: None: `camera_info` beside the images. Raises InputError where there is none, or for a lens with distortion.
    """
    topic = topic or _beside(bag, images)
    kinds = bag.types_of(topic, "--camera-info", _INFO_TYPES)
    found: NDArray[np.float64] | None = None
    for number, (_, message) in enumerate(bag.messages(topic, kinds)):
        if isinstance(message, InputError):
            raise message
        say_so = "give --rectified"
        matrix = intrinsics_of(message, *shown, rectified=rectified, field=f"{topic}, message {number}", say_so=say_so)
        if matrix is None:
            raise InputError("--camera-info", topic, "it says that the camera is not calibrated")
        if found is not None and not np.allclose(found, matrix, rtol=1e-3):
            raise InputError(
                "--camera-info", topic, f"intrinsics change at message {number}; record one zoom at a time"
            )
        found = matrix
    if found is None:
        raise InputError("--camera-info", topic, "it has no message")
    scaled = scale_intrinsics(found, shown, size)
    assert scaled is not None
    return topic, np.array(focal_and_centre(scaled))


def _beside(bag: Bag, images: str) -> str:
    """`camera_info` in the namespace of the images, or of what they are transported for."""
    parts = images.rstrip("/").split("/")
    beside = ["/".join([*parts[:-levels], "camera_info"]) for levels in (1, 2) if len(parts) > levels]
    topics = bag.topics()
    for topic in beside:
        if topic in topics:
            return topic
    having = [topic for topic, kinds in topics.items() if set(kinds) & set(_INFO_TYPES)]
    fix = f"give the topic of the camera's CameraInfo; the bag has {', '.join(having) or 'none: record it, too'}"
    raise InputError("--camera-info", f"nothing at {' or '.join(beside)}", fix)


def depth_fault(message: Any, shown: tuple[int, int], field: str) -> InputError | None:
    """Why a depth image is not one of an image of `shown` (height, width). `message` may be an error itself."""
    if isinstance(message, InputError):
        return message
    if message.encoding not in _DEPTH:
        return InputError(f"{field}.encoding", f"'{message.encoding}'", "give depth in 16UC1 (mm) or 32FC1 (m)")
    if (message.height, message.width) != shown:
        fix = f"the images are {shown[0]} x {shown[1]}: give depth that is aligned with them"
        return InputError(f"{field}.height, {field}.width", f"{message.height} x {message.width}", fix)
    needed = message.step * message.height
    if message.step < message.width * np.dtype(_DEPTH[message.encoding][0]).itemsize or len(message.data) != needed:
        return InputError(f"{field}.data", f"{len(message.data)} bytes", f"give step x height = {needed} bytes")
    return None


def depth_of(message: Any, field: str, size: tuple[int, int]) -> NDArray[np.float16]:
    """Depth in metres, float16 [height, width] of `size`; 0 where nothing was measured. The nearest pixel is taken."""
    kind, metres = _DEPTH[message.encoding]
    dtype = np.dtype(kind).newbyteorder(">" if message.is_bigendian else "<")
    rows = np.frombuffer(message.data, np.uint8).reshape(message.height, message.step)
    pixels = np.ascontiguousarray(rows[:, : message.width * dtype.itemsize]).view(dtype)
    depth = pixels.astype(np.float32) * np.float32(metres)
    depth[~np.isfinite(depth) | (depth < 0)] = 0
    depth = np.minimum(depth, np.float32(np.finfo(np.float16).max))
    return cv2.resize(depth, (size[1], size[0]), interpolation=cv2.INTER_NEAREST_EXACT).astype(np.float16)
