"""rclpy's multi-threaded executor without its busy loop, which survives what its callbacks raise."""

import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakSet

from rclpy.exceptions import InvalidHandle
from rclpy.executors import Executor, MultiThreadedExecutor
from rclpy.logging import get_logger
from rclpy.node import Node

from lingbot_ros.errors import printable

_PAUSE_S = 0.0005
_WAKE_S = 0.005
# Callbacks of an interface that is about to go end within milliseconds; one that hangs must not hold a transition.
_PATIENCE_S = 2.0
# So many failures in a row without one success are no fault of a single callback.
_HOPELESS = 1000


@dataclass(eq=False)
class _Job:
    """A call that waits until the callbacks of its node have ended, `until_s` (monotonic) at the latest."""

    node: Node
    call: Callable[[], None]
    until_s: float
    taken: bool = False
    done: threading.Event = field(default_factory=threading.Event)
    error: BaseException | None = None


class _Pool(ThreadPoolExecutor):
    """Knows which task each of its threads is running."""

    def __init__(self, num_threads: int) -> None:
        super().__init__(num_threads, thread_name_prefix="callbacks")
        self._running = threading.local()

    @property
    def task(self) -> Any:
        """That of the calling thread; None outside of the pool."""
        return getattr(self._running, "task", None)

    def submit(self, task: Callable[[], Any], /) -> "Future[Any]":  # type: ignore[override]
        return super().submit(self._run, task)

    def _run(self, task: Callable[[], Any]) -> Any:
        self._running.task = task
        try:
            return task()
        finally:
            self._running.task = None


class PooledExecutor(MultiThreadedExecutor):
    """What a callback raises is logged and ends that callback only; interfaces can be destroyed while it spins.

    It pauses before it hands a task to the pool once more. rclpy's yields a task again and again until a thread has
    begun it, and while it awaits something. That loop holds the interpreter and keeps the very thread that should begin
    from beginning: one control in ten was taken 50 to 500 ms after it had arrived (`benchmarks/frame_time.py`). A pause
    lets go of the interpreter; to hand a task out again, as rclpy does, changes nothing. Those who wait for the worker
    are set aside meanwhile, so that hundreds may wait at no cost.
    """

    def __init__(self, num_threads: int) -> None:
        super().__init__(num_threads=num_threads)
        self._pool = self._executor = _Pool(num_threads)
        self._aside: dict[Any, Any] = {}
        self._handed_out: WeakSet[Any] = WeakSet()
        self._nudges: WeakSet[Any] = WeakSet()
        self._jobs: list[_Job] = []
        self._jobs_lock = threading.Lock()
        self._spinning: int | None = None
        self._failures = 0

    def spin(self) -> None:
        """Execute callbacks until shutdown."""
        self._spinning = threading.get_ident()
        try:
            super().spin()
        finally:
            self._spinning = None

    def spin_once(self, timeout_sec: float | None = None) -> None:
        """As rclpy's, but what a callback raised is logged. Raises only where nothing at all works any more."""
        try:
            super().spin_once(timeout_sec)
            self._failures = 0
        except Exception as error:  # the boundary to everything that runs in callbacks: the process must live on
            if not self.context.ok():
                return  # a signal came while the executor was preparing to wait
            self._failures += 1
            if self._failures > _HOPELESS:
                raise
            if not isinstance(error, InvalidHandle):  # else its interface was withdrawn as the callback began
                traceback_text = printable("".join(traceback.format_exception(error)))
                get_logger("executor").error(f"a callback failed; the node continues:\n{traceback_text}")

    def wait_for_ready_callbacks(self, *args: Any, **kwargs: Any) -> Any:
        """As rclpy's: the next task with its entity and node."""
        self._run_jobs()
        found = super().wait_for_ready_callbacks(*args, **kwargs)
        if found[0] in self._handed_out:
            time.sleep(_PAUSE_S)
        self._handed_out.add(found[0])
        return found

    def set_aside_until(self, pending: "Future[Any]") -> None:
        """Let the calling task, which is about to yield, come again when `pending` is done; sooner does no harm."""
        task = self._pool.task
        with self._tasks_lock:
            entry = next((entry for entry in self._tasks if entry[0] is task), None)
            if entry is not None:
                self._tasks.remove(entry)
                self._aside[task] = entry
        pending.add_done_callback(lambda _: self._take_up(task))

    def _take_up(self, task: Any) -> None:
        with self._tasks_lock:
            if task in self._aside:
                self._tasks.append(self._aside.pop(task))
        self.wake()

    def run_alone(self, node: Node, call: Callable[[], None]) -> None:
        """Run `call` on the spinning thread between two waits, once the other callbacks of `node` have ended.

        A wait set holds what it waits for, and a callback what it works with: to destroy either from another thread
        ends the process. Called from a callback, or from anywhere once spinning has ended. Raises what `call` raises.
        """
        if not self._spins_elsewhere():
            call()
            return
        job = _Job(node, call, time.monotonic() + _PATIENCE_S)
        with self._jobs_lock:
            self._jobs.append(job)
        while not job.done.is_set():
            # Only a task makes rclpy return from waiting; to wake it makes it wait again.
            self._nudges.add(self.create_task(lambda: None))
            if not job.done.wait(_WAKE_S) and not self._spins_elsewhere():
                self._run(job)
        if job.error is not None:
            raise job.error

    def _spins_elsewhere(self) -> bool:
        return self._spinning not in (None, threading.get_ident())

    def _run_jobs(self) -> None:
        with self._jobs_lock:
            waiting = list(self._jobs)
        if not waiting:
            return
        with self._tasks_lock:
            at_work = [
                node for task, _, node in self._tasks if not (task.done() or task.cancelled() or task in self._nudges)
            ]
        for job in waiting:
            # Each job is waited for by a callback, which is no reason to wait for it.
            others = sum(node in (job.node, None) for node in at_work) - len(waiting)
            if others <= 0 or time.monotonic() > job.until_s:
                if self._cb_iter is not None:  # it stands in the middle of a list of interfaces
                    self._cb_iter.close()
                    self._cb_iter = None
                self._run(job)

    def _run(self, job: _Job) -> None:
        with self._jobs_lock:
            if job.taken:
                return
            job.taken = True
            self._jobs.remove(job)
        try:
            job.call()
        except BaseException as error:  # it belongs to the one who asked
            job.error = error
        job.done.set()


def run_alone(executor: Executor | None, node: Node, call: Callable[[], None]) -> None:
    """`PooledExecutor.run_alone`; with rclpy's single-threaded executor a callback is alone anyway."""
    if isinstance(executor, PooledExecutor):
        executor.run_alone(node, call)
    else:
        call()
