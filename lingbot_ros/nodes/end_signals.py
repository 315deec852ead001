"""SIGINT, SIGTERM and SIGHUP ask a process to end in order, once: all further ones change nothing until it has."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_ALWAYS = (signal.SIGINT, signal.SIGTERM)
"""Honoured even where they were inherited as ignored, as SIGINT is by what a script starts in the background."""


class EndSignals:
    """Made on the main thread, before anything slow is imported. A signal that comes before `on_first` is not lost.

    Terminals and `ros2 launch` both deliver SIGINT to the same process, some milliseconds apart. Python's own handler
    would raise in the middle of what the first one began, and leave a bag without its index.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked, self._react = False, lambda: None
        ending, beginning = os.pipe()
        os.set_blocking(beginning, False)
        # Python's own handlers run on the main thread only, which may be waiting for a message in C++.
        signal.set_wakeup_fd(beginning, warn_on_full_buffer=False)
        for number in end_numbers():
            signal.signal(number, _nothing)
        threading.Thread(target=self._listen, args=(ending,), name="signals", daemon=True).start()

    @property
    def asked(self) -> bool:
        """Whether one has come."""
        return self._asked

    def on_first(self, react: Callable[[], None]) -> None:
        """Call this at the first signal, on a thread of its own; at once if that has come already."""
        with self._lock:
            self._react = react
            if not self._asked:
                return
        react()

    @contextmanager
    def nothing_begun(self) -> Iterator[None]:
        """In here a signal ends the process at once, with code 0: there is nothing to end in order yet."""
        self.on_first(lambda: os._exit(0))
        try:
            yield
        finally:
            self.on_first(lambda: None)

    def close(self) -> None:
        """The last call of a program: from here on nothing may disturb the end of the interpreter either."""
        for number in end_numbers():
            signal.signal(number, signal.SIG_IGN)

    def _listen(self, ending: int) -> None:
        while numbers := os.read(ending, 64):
            if not any(number in end_numbers() for number in numbers):
                continue
            with self._lock:
                first, self._asked = not self._asked, True
                react = self._react
            if first:
                react()


_interrupted, _holding = threading.Event(), threading.Event()


def interrupt_once() -> None:
    """For programs that end by KeyboardInterrupt: the first signal raises it, all further ones do nothing."""
    _interrupted.clear()

    def interrupt(number: int, frame: Any) -> None:
        if not _interrupted.is_set():
            _interrupted.set()
            if not _holding.is_set():
                raise KeyboardInterrupt

    for number in end_numbers():
        signal.signal(number, interrupt)


@contextmanager
def whole_or_not() -> Iterator[None]:
    """What begins in here ends before the interrupt is raised: a frame is counted and filmed, or neither."""
    before = _interrupted.is_set()
    _holding.set()
    try:
        yield
    finally:
        _holding.clear()
    if _interrupted.is_set() and not before:
        raise KeyboardInterrupt


def end_numbers() -> tuple[signal.Signals, ...]:
    """Those that end this process; not SIGHUP where it is ignored, as under nohup."""
    return _ALWAYS if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else (*_ALWAYS, signal.SIGHUP)


def _nothing(number: int, frame: Any) -> None:
    """In the place of Python's handler, which raises KeyboardInterrupt wherever the program is."""
