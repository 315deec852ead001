"""Generated frames on their way to publication: at most one chunk waits, so that latency cannot build up."""

import threading
from collections import deque
from collections.abc import Callable, Sequence

from lingbot_ros.runtime.records import FrameRecord


class FrameBuffer:
    """Thread-safe hand-over from the worker, which puts chunks, to the pacer, which takes frames one by one.

    The worker may put a chunk only while `has_room()`: the frames of one chunk at most are still waiting then, and the
    one being published counts as waiting. `on_room` is called from the pacer's thread whenever a frame has gone.
    """

    def __init__(self, on_room: Callable[[], None]) -> None:
        self._on_room = on_room
        self._changed = threading.Condition()
        self._frames: deque[FrameRecord] = deque()
        self._closed = False

    def has_room(self) -> bool:
        """True when a new chunk may be generated: the frames of one chunk at most are waiting."""
        with self._changed:
            if not self._frames:
                return True
            first, last = self._frames[0], self._frames[-1]
            return (first.session_id, first.chunk_index) == (last.session_id, last.chunk_index)

    def put(self, frames: Sequence[FrameRecord]) -> None:
        with self._changed:
            self._frames.extend(frames)
            self._changed.notify_all()

    def drop_paced(self) -> int:
        """Throw away waiting frames whose time has not come, because another session took over; how many there were."""
        with self._changed:
            kept = [frame for frame in self._frames if not frame.paced]
            dropped = len(self._frames) - len(kept)
            self._frames = deque(kept)
            self._changed.notify_all()
            return dropped

    def wait_first(self, timeout_s: float) -> FrameRecord | None:
        """The frame that is next to be published, left in place; None after `timeout_s` or when closed."""
        with self._changed:
            if not self._frames and not self._closed:
                self._changed.wait(timeout_s)
            return self._frames[0] if self._frames and not self._closed else None

    def wait_gone(self, frame: FrameRecord, timeout_s: float) -> bool:
        """Wait until `frame` is no longer first (dropped, or the buffer closed), at most `timeout_s`; True if so."""
        with self._changed:
            return self._changed.wait_for(
                lambda: self._closed or not self._frames or self._frames[0] is not frame, timeout_s
            )

    def remove(self, frame: FrameRecord) -> None:
        """Take the published frame out, unless it was dropped meanwhile."""
        with self._changed:
            if self._frames and self._frames[0] is frame:
                self._frames.popleft()
            self._changed.notify_all()
        self._on_room()

    def wait_empty(self, timeout_s: float) -> bool:
        """Wait until every frame has gone; False after `timeout_s`."""
        with self._changed:
            return self._changed.wait_for(lambda: self._closed or not self._frames, timeout_s)

    def __len__(self) -> int:
        with self._changed:
            return len(self._frames)

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
