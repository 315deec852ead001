"""Clips that are ready when training asks for them."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

import numpy as np

T = TypeVar("T")


class ClipStream(Generic[T]):
    """An endless sequence whose item i depends on the seed and on i alone, however many threads make it.

    Threads rather than processes: what takes time is copying from mapped files or decoding images, during which
    Python's lock is free, and nothing has to travel between processes.
    """

    def __init__(self, make: Callable[[np.random.Generator], T], seed: int, loaders: int = 0, ahead: int = 64) -> None:
        """`loaders` threads keep up to `ahead` items ready; 0 makes each item when it is asked for."""
        self._make, self._seed, self._loaders, self._ahead = make, seed, loaders, ahead
        self._next = 0
        self._threads: ThreadPoolExecutor | None = None
        self._ready: deque[Future[T]] = deque()

    def take(self) -> T:
        """The next item. What went wrong while it was made is raised here."""
        if not self._loaders:
            self._next += 1
            return self._number(self._next - 1)
        if self._threads is None:
            self._threads = ThreadPoolExecutor(self._loaders, "clips")
        while len(self._ready) < self._ahead:
            self._ready.append(self._threads.submit(self._number, self._next))
            self._next += 1
        return self._ready.popleft().result()

    def close(self) -> None:
        """End the threads until the next item is asked for."""
        if self._threads is not None:
            self._threads.shutdown(cancel_futures=True)
            self._threads = None
        self._next -= len(self._ready)
        self._ready.clear()

    def _number(self, index: int) -> T:
        return self._make(np.random.default_rng([self._seed, index, 1]))
