"""rclpy's multi-threaded executor without its busy loop."""

import time
from typing import Any
from weakref import WeakSet

from rclpy.executors import MultiThreadedExecutor

_PAUSE_S = 0.0005


class PooledExecutor(MultiThreadedExecutor):
    """Pauses before it hands a task to the pool once more.

    rclpy's yields a task again and again until a thread has begun it, and while it awaits something. That loop holds
    the interpreter and keeps the very thread that should begin from beginning: one control in ten was taken 50 to
    500 ms after it had arrived (`benchmarks/frame_time.py`). A pause lets go of the interpreter; to hand a task out
    again, as rclpy does, changes nothing.
    """

    def __init__(self, num_threads: int) -> None:
        super().__init__(num_threads=num_threads)
        self._handed_out: WeakSet[Any] = WeakSet()

    def wait_for_ready_callbacks(self, *args: Any, **kwargs: Any) -> Any:
        """As rclpy's: the next task with its entity and node."""
        found = super().wait_for_ready_callbacks(*args, **kwargs)
        if found[0] in self._handed_out:
            time.sleep(_PAUSE_S)
        self._handed_out.add(found[0])
        return found
