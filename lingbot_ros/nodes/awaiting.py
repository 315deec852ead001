"""Waiting for the worker in a callback without holding a thread of the executor."""

from collections.abc import Generator
from concurrent.futures import Future
from typing import TypeVar

from rclpy.executors import Executor

from lingbot_ros.nodes.executor import PooledExecutor

T = TypeVar("T")


async def on_worker(executor: Executor, pending: "Future[T]") -> T:
    """The result of the worker's call, or its exception. The worker ends every call it accepted, also when it stops."""
    if isinstance(executor, PooledExecutor):
        executor.set_aside_until(pending)
    else:
        # rclpy looks at a waiting coroutine only when something wakes the executor.
        pending.add_done_callback(lambda _: executor.wake())
    await _Done(pending)
    return pending.result()


class _Done:
    """Yields to the executor, which resumes a coroutine by calling it again, until the future is done."""

    def __init__(self, pending: "Future[T]") -> None:
        self._pending = pending

    def __await__(self) -> Generator[None, None, None]:
        while not self._pending.done():
            yield
