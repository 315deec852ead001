"""Waiting for the worker in a callback without holding a thread of the executor."""

from concurrent.futures import Future as WorkerFuture
from typing import TypeVar

from rclpy.executors import Executor
from rclpy.task import Future

T = TypeVar("T")


async def on_worker(executor: Executor, pending: "WorkerFuture[T]") -> T:
    """The result of the worker's call, or its exception. The worker ends every call it accepted, also when it stops."""
    answered: Future[None] = Future(executor=executor)

    def resume(_: "WorkerFuture[T]") -> None:
        answered.set_result(None)
        # rclpy looks at a waiting coroutine only when something wakes the executor; completing the future does not.
        executor.wake()

    pending.add_done_callback(resume)
    await answered
    return pending.result()
