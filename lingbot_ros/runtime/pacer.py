"""Publishes frames when their time has come, from a thread of its own, on a steady clock."""

import threading
import time
from collections.abc import Callable

from lingbot_ros.runtime.frame_buffer import FrameBuffer
from lingbot_ros.runtime.records import FrameRecord

_POLL_S = 0.2


class Pacer:
    """Owns the beat of realtime: frame k + 1 is due one period after frame k was.

    A frame that is late goes out at once; when it is late by more than a period the beat starts anew from it, so that
    a slow generator gives fewer frames per second instead of ever older ones. Frames that are not paced go out at once.
    `publish` runs on the pacer's thread; what it raises is given to `on_error`, and the next frame goes on.
    """

    def __init__(
        self,
        buffer: FrameBuffer,
        period_s: float,
        publish: Callable[[FrameRecord], None],
        on_error: Callable[[Exception], None],
    ) -> None:
        self._buffer, self._period_s, self._publish, self._on_error = buffer, period_s, publish, on_error
        self._last_due_s = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pacer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """End the thread; frames that still wait are not published."""
        self._stop.set()
        self._buffer.close()
        self._thread.join(timeout_s)

    def next_due_s(self) -> float:
        """`time.monotonic()` at which a paced frame put into the buffer now would be due; may lie in the past."""
        return self._last_due_s + (len(self._buffer) + 1) * self._period_s

    def _run(self) -> None:
        while not self._stop.is_set():
            frame = self._buffer.wait_first(_POLL_S)
            if frame is None or (frame.paced and not self._wait_until_due(frame)):
                continue
            try:
                self._publish(frame)
            except Exception as error:  # the thread must outlive a fault in publication; it is reported, not hidden
                self._on_error(error)
            self._buffer.remove(frame)

    def _wait_until_due(self, frame: FrameRecord) -> bool:
        """Wait for the frame's beat; False when it was dropped meanwhile."""
        due_s = self._last_due_s + self._period_s
        wait_s = due_s - time.monotonic()
        if wait_s > 0 and self._buffer.wait_gone(frame, wait_s):
            return False
        late_s = time.monotonic() - due_s
        self._last_due_s = due_s if late_s <= self._period_s else due_s + late_s
        return True
