"""The frames that were shown, and a film of them."""

import tempfile
from collections import deque
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from lingbot_ros.errors import ErrorCode, LingbotError
from lingbot_ros.viewer.frames import Frame

_MOST_FRAMES = 1200
_MOST_BYTES = 96 * 2**20
_SMALLEST_EDGE_PX = 384


class ShownFrames:
    """Keeps the newest frames as they were encoded: about a minute, within a bound of memory."""

    def __init__(self) -> None:
        self._frames: deque[Frame] = deque()
        self._bytes = 0

    def add(self, frame: Frame) -> None:
        """Keep a frame; the oldest make room."""
        self._frames.append(frame)
        self._bytes += len(frame.image)
        while len(self._frames) > _MOST_FRAMES or self._bytes > _MOST_BYTES:
            self._bytes -= len(self._frames.popleft().image)

    def clear(self) -> None:
        """A new world begins."""
        self._frames.clear()
        self._bytes = 0

    def newest(self) -> Frame | None:
        return self._frames[-1] if self._frames else None

    def copy(self) -> list[Frame]:
        """All of them, oldest first."""
        return list(self._frames)


def encode_film(frames: list[Frame], fps: float) -> bytes:
    """An MP4 file of the frames; small ones are enlarged by a whole factor. Takes seconds: not on the event loop.

    Raises LingbotError when there are none or the codec is missing.
    """
    images = [_enlarged(frame) for frame in frames]
    if not images:
        raise LingbotError("there are no frames to save yet", ErrorCode.SESSION_CLOSED)
    height, width = images[-1].shape[:2]
    with tempfile.TemporaryDirectory(prefix="lingbot_film_") as folder:
        path = Path(folder) / "imagined.mp4"
        film = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), fps, (width, height))
        if not film.isOpened():
            raise LingbotError("OpenCV cannot write MP4 files on this machine", ErrorCode.UNSUPPORTED)
        for image in images:
            if image.shape == (height, width, 3):  # another world may have had frames of another size
                film.write(image)
        film.release()
        return path.read_bytes()


def _enlarged(frame: Frame) -> NDArray[np.uint8]:
    bgr = np.asarray(cv2.imdecode(np.frombuffer(frame.image, np.uint8), cv2.IMREAD_COLOR))
    factor = max(1, -(-_SMALLEST_EDGE_PX // min(bgr.shape[:2])))
    large = np.repeat(np.repeat(bgr, factor, axis=0), factor, axis=1)
    return np.ascontiguousarray(large[: large.shape[0] // 2 * 2, : large.shape[1] // 2 * 2], np.uint8)
