"""The files of `lingbot imagine --out`: the newest image, a video, a summary."""

import json
import math
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from lingbot_ros.checkpoints.trust import LEAST_TRUST
from lingbot_ros.errors import ErrorCode, ResourceError
from lingbot_ros.runtime.records import Image

_SMALLEST_EDGE_PX = 384
_BORDER_PX = 6
_DOUBTED_BGR = (40, 40, 220)


class Recording:
    """Writes `latest.png` (replaced atomically at each frame), `imagined.mp4` and `summary.json`.

    Small frames are enlarged by an integer factor without interpolation. Frames that are not to be believed have a red
    border.
    """

    def __init__(self, folder: Path, fps: float) -> None:
        """Raises ResourceError when the folder cannot be written."""
        self._folder, self._fps = folder, fps
        self._film: cv2.VideoWriter | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _refused(folder, error.strerror) from error

    def add(self, frame: Image, trust: float = math.nan) -> None:
        """Add one frame, uint8 [H, W, 3] RGB, that can be believed so far, 0..1; NaN: not estimated, no border."""
        factor = max(1, -(-_SMALLEST_EDGE_PX // min(frame.shape[:2])))
        bgr = np.repeat(np.repeat(frame[..., ::-1], factor, axis=0), factor, axis=1)
        bgr = np.ascontiguousarray(bgr[: bgr.shape[0] // 2 * 2, : bgr.shape[1] // 2 * 2])
        if trust < LEAST_TRUST:
            height, width = bgr.shape[:2]
            cv2.rectangle(bgr, (0, 0), (width - 1, height - 1), _DOUBTED_BGR, 2 * _BORDER_PX)  # half of it is outside
        if self._film is None:
            self._film = self._open_film(bgr.shape[1], bgr.shape[0])
        self._film.write(bgr)
        _, data = cv2.imencode(".png", bgr, (cv2.IMWRITE_PNG_COMPRESSION, 1))
        self._replace("latest.png", data.tobytes())

    def finish(self, summary: dict[str, Any]) -> None:
        """Close the video and write the summary."""
        if self._film is not None:
            self._film.release()
        self._replace("summary.json", (json.dumps(summary, indent=2) + "\n").encode())

    def _open_film(self, width: int, height: int) -> cv2.VideoWriter:
        path = self._folder / "imagined.mp4"
        film = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), self._fps, (width, height))
        if not film.isOpened():
            raise ResourceError(
                f"--out: cannot write {path}; free some disk space or choose another folder", ErrorCode.DISK
            )
        return film

    def _replace(self, name: str, data: bytes) -> None:
        partial = self._folder / f".{name}.partial"
        try:
            partial.write_bytes(data)
            os.replace(partial, self._folder / name)
        except OSError as error:
            raise _refused(self._folder / name, error.strerror) from error


def _refused(path: Path, reason: str | None) -> ResourceError:
    fix = "free some disk space or choose another folder"
    return ResourceError(f"--out: cannot write {path} ({reason}); {fix}", ErrorCode.DISK)
