"""A thread that writes a bag, so that neither the imagination nor its publication waits for the disk."""

import queue
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from rosbags.typesys.store import Typestore

from lingbot_ros.errors import ErrorCode, LingbotError
from lingbot_ros.recording.writer import BagWriter, Topic

_QUEUE = 512
"""Messages that may wait for the disk."""
_POLL_S = 0.2
_FLUSH_S = 1.0
"""The most that a process loses that is killed."""
_CHECK_BYTES = 2**20


@dataclass(frozen=True)
class Recorded:
    """folder of the bag; messages and bytes written; messages dropped because the disk was too slow (realtime)."""

    folder: Path
    messages: int
    size: int
    dropped: int


@dataclass(frozen=True)
class _Item:
    topic: Topic
    stamp_ns: int
    encode: Callable[[], bytes]


class Recorder:
    """Writes one bag from construction to `stop()`. `put` may be called from any thread.

    parameters: of the node, kept in the bag. lossless: `put` waits while the queue is full (lockstep); otherwise the
    message is dropped and counted (realtime). keep_free: recording ends in order before less than so many bytes are
    left on the disk. `on_failure` is called once, on the recorder's thread, when it ends by itself.
    """

    def __init__(
        self,
        folder: Path,
        types: Typestore,
        parameters: Mapping[str, str],
        *,
        lossless: bool,
        keep_free: int,
        on_failure: Callable[[LingbotError], None],
    ) -> None:
        try:
            self._writer = BagWriter(folder, types, parameters)
            self._keep_free, self._checked = keep_free, 0
            self._require_room()
        except OSError as error:
            raise LingbotError(f"path: cannot write '{folder}': {error.strerror}", ErrorCode.DISK) from error
        except LingbotError:
            if hasattr(self, "_writer"):
                self._writer.close()
            raise
        self.folder, self._lossless, self._on_failure = folder, lossless, on_failure
        self._dropped, self._flushed_s = 0, time.monotonic()
        self._items: queue.Queue[_Item] = queue.Queue(_QUEUE)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        return not self._ending.is_set()

    @property
    def recorded(self) -> Recorded:
        return Recorded(self.folder, self._writer.messages, self._writer.size, self._dropped)

    def put(self, topic: Topic, stamp_ns: int, encode: Callable[[], bytes]) -> None:
        """Queue a message, which `encode` serialises on the recorder's thread. Does nothing once it has ended."""
        item = _Item(topic, stamp_ns, encode)
        while self.running:
            try:
                self._items.put(item, timeout=_POLL_S if self._lossless else 0)
                return
            except queue.Full:
                if not self._lossless:
                    self._dropped += 1
                    return

    def stop(self) -> Recorded:
        """Write what waits and close the bag; returns once it is complete."""
        self._ending.set()
        self._thread.join()
        return self.recorded

    def _run(self) -> None:
        failure: LingbotError | None = None
        try:
            while failure is None and not (self._ending.is_set() and self._items.empty()):
                failure = self._write_next()
        finally:
            self._ending.set()
            try:
                self._writer.close()
            except OSError as error:
                failure = failure or self._failure(error)
        if failure is not None:
            self._on_failure(failure)

    def _write_next(self) -> LingbotError | None:
        try:
            try:
                item = self._items.get(timeout=_POLL_S)
                self._require_room()
                self._writer.write(item.topic, item.stamp_ns, item.encode())
            except queue.Empty:
                pass
            if time.monotonic() - self._flushed_s > _FLUSH_S:
                self._flushed_s = time.monotonic()
                self._writer.flush()
        except LingbotError as error:
            return error
        except OSError as error:
            return self._failure(error)
        return None

    def _require_room(self) -> None:
        """Look at the disk once per megabyte. Raises LingbotError (DISK) when too little is left."""
        if self._checked and self._writer.size - self._checked < _CHECK_BYTES:
            return
        self._checked = max(self._writer.size, 1)
        free = shutil.disk_usage(self._writer.folder).free
        if free < self._keep_free:
            raise LingbotError(
                f"recording.keep_free: {free} bytes are left on the disk of '{self._writer.folder}', fewer than the "
                f"{self._keep_free} that must stay free; the bag is complete up to here: free some space and "
                "record again",
                ErrorCode.DISK,
            )

    def _failure(self, error: OSError) -> LingbotError:
        return LingbotError(
            f"recording to '{self._writer.folder}' stopped: {error.strerror}; sessions go on. `mcap recover` on the "
            ".mcap file in it rescues what was written",
            ErrorCode.DISK,
        )
