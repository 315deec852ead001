"""Single frames of a film, counted from 0, for a reader that goes forward."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from lingbot_ros.errors import InputError


class Film:
    """A film decoded from its start: `frame` is exact whatever its key frames, and cheap while numbers grow."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._open()

    def frame(self, number: int) -> NDArray[np.uint8]:
        """Frame `number`, uint8 [h, w, 3] RGB. Raises InputError when the film ends before it."""
        if number < self._next - 1:
            self._capture.release()
            self._open()
        while self._next <= number:
            if not self._capture.grab():
                fix = f"it ends before frame {number}, which its episode needs; download the file again"
                raise InputError("video", f"{self.path}, {self._next} frames", fix)
            self._next += 1
        decoded, bgr = self._capture.retrieve()
        if not decoded:
            raise InputError("video", f"{self.path}, frame {number}", "it cannot be decoded; download the file again")
        return np.asarray(bgr[:, :, ::-1], np.uint8)

    def close(self) -> None:
        self._capture.release()

    def _open(self) -> None:
        self._capture, self._next = cv2.VideoCapture(str(self.path)), 0
        if not self._capture.isOpened():
            raise InputError("video", self.path, "it has no video that can be decoded; download the complete data set")
