"""Image messages -> frames for the page. JPEG from the node is passed on; only small images are encoded here."""

from dataclasses import replace

import cv2
from sensor_msgs.msg import CompressedImage, Image

from lingbot_msgs.msg import FrameInfo
from lingbot_ros.bridge.images import image_to_rgb
from lingbot_ros.bridge.stamps import to_nanoseconds
from lingbot_ros.viewer.frames import Codec, Frame

LARGEST_PNG_EDGE_PX = 256
"""Up to this size a PNG is quick to make and small; larger images come from the node as JPEG."""
_PNG = (cv2.IMWRITE_PNG_COMPRESSION, 1)
_JPEG = (cv2.IMWRITE_JPEG_QUALITY, 80)


def encoded(message: Image | CompressedImage, stream: int = 0) -> Frame:
    """The frame of an image, without trust; see `described`."""
    time_s = to_nanoseconds(message.header.stamp) / 1e9
    if isinstance(message, CompressedImage):
        return Frame(Codec.JPEG, bytes(message.data), stream, time_s)
    bgr = cv2.cvtColor(image_to_rgb(message), cv2.COLOR_RGB2BGR)
    if max(bgr.shape[:2]) <= LARGEST_PNG_EDGE_PX:
        return Frame(Codec.PNG, cv2.imencode(".png", bgr, _PNG)[1].tobytes(), stream, time_s)
    return Frame(Codec.JPEG, cv2.imencode(".jpg", bgr, _JPEG)[1].tobytes(), stream, time_s)


def described(frame: Frame, info: FrameInfo | None) -> Frame:
    """The same frame with what its info says."""
    if info is None:
        return frame
    return replace(frame, trust=info.trust, frames_since_real=info.frames_since_real)
