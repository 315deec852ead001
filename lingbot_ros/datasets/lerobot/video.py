"""Single frames of a film by the time at which they are shown, for a reader that goes forward."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.compat import have
from lingbot_ros.errors import ErrorCode, InputError, LingbotError

_AHEAD_S = 2.0
"""A frame farther ahead is looked for from the key frame before it."""


class Film:
    """The first video of a file. times_s: when each of its frames is shown, float64 [frames], ascending.

    Raises InputError for a file without one, LingbotError (UNSUPPORTED) when PyAV is not installed.
    """

    def __init__(self, path: Path) -> None:
        require_av()
        import av  # noqa: PLC0415 - an optional package

        self.path, self._errors = path, (av.FFmpegError, EOFError, ValueError, OverflowError)
        try:
            self._container = av.open(str(path))
        except (*self._errors, OSError) as error:
            raise self._broken("no video that can be read", error) from error
        try:
            if not self._container.streams.video:
                raise InputError("video", path, "it has no video; download the complete data set")
            self._stream = self._container.streams.video[0]
            self._stream.thread_type = "AUTO"
            shown = {packet.pts for packet in self._container.demux(self._stream) if packet.pts is not None}
        except self._errors as error:
            self.close()
            raise self._broken("damaged", error) from error
        except InputError:
            self.close()
            raise
        self._shown = np.array(sorted(shown), np.int64)
        self._period_s = float(self._stream.time_base or 0)
        self.times_s = self._shown * self._period_s
        self._frames: Iterator[Any] = iter(())
        self._at_s = np.inf

    def nearest(self, time_s: float, tolerance_s: float) -> int | None:
        """The number of the frame that is shown at `time_s`, or None where there is none within `tolerance_s`."""
        if not len(self.times_s):
            return None
        number = int(np.abs(self.times_s - time_s).argmin())
        return number if abs(self.times_s[number] - time_s) <= tolerance_s else None

    def frame(self, number: int) -> NDArray[np.uint8]:
        """Frame `number`, uint8 [h, w, 3] RGB. Raises InputError when it cannot be decoded."""
        wanted, time_s = int(self._shown[number]), float(self.times_s[number])
        try:
            if not self._at_s < time_s <= self._at_s + _AHEAD_S:
                self._container.seek(wanted, stream=self._stream, backward=True)
                self._frames = self._container.decode(self._stream)
            for frame in self._frames:
                if frame.pts is not None and frame.pts >= wanted:
                    self._at_s = time_s
                    if frame.pts > wanted:
                        break
                    return np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
        except self._errors as error:
            raise self._broken(f"damaged at {time_s:.3f} s", error) from error
        raise InputError("video", f"{self.path}, {time_s:.3f} s", "it cannot be decoded there; download the file again")

    def close(self) -> None:
        self._container.close()

    def _broken(self, what: str, error: Exception) -> InputError:
        return InputError("video", self.path, f"it is {what} ({error}); download the complete data set")


def require_av() -> None:
    """Raise LingbotError (UNSUPPORTED) when PyAV is not installed."""
    if not have("av"):
        raise LingbotError(
            "from-lerobot: the package av (PyAV) is not installed; ./lingbot installs it, or run `pip install av`",
            ErrorCode.UNSUPPORTED,
        )
