"""One set-up at a time."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def exclusive(path: Path, when_busy: Callable[[], None]) -> Iterator[int]:
    """Hold the lock file; call `when_busy` once if another process holds it, then wait for that process.

    Yields the file's descriptor. A child that inherits it keeps the lock after its parent was killed: a pip that goes
    on installing as an orphan still excludes the next set-up.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            when_busy()
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)
