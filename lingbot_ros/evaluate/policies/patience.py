"""Calling what may never answer."""

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Answer(Generic[T]):
    """What a call returned and how long it took, seconds."""

    value: T
    took_s: float


class NoAnswerError(Exception):
    """The call did not return in time. It goes on in a thread that nobody waits for."""


@dataclass(frozen=True)
class Patience:
    """How long a policy may take, seconds: to be made, and to answer. An answer after `late_after_s` does not count,
    and after `give_up_after_s` nobody waits for it any longer: a robot's controller has no use for either.
    """

    ready_within_s: float = 300.0
    late_after_s: float = 5.0
    give_up_after_s: float = 30.0


class PatientCaller:
    """Runs calls one after the other in a thread of its own and gives up on one that takes too long.

    After it gave up, the next call gets a fresh thread; the answer of the lost one is ignored.
    """

    def __init__(self, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._name, self._clock = name, clock
        self._work: queue.SimpleQueue[Callable[[], None] | None] | None = None

    def call(self, function: Callable[[], T], give_up_after_s: float) -> Answer[T]:
        """What `function` returns; raises what it raises, and NoAnswerError."""
        done = threading.Event()
        outcome: list[Answer[T] | BaseException] = []

        def work() -> None:
            began = self._clock()
            try:
                outcome.append(Answer(function(), self._clock() - began))
            except BaseException as error:  # also SystemExit: a policy that leaves must not take its thread along
                outcome.append(error)
            done.set()

        self._thread().put(work)
        if not done.wait(give_up_after_s):
            self.close()
            raise NoAnswerError(f"no answer after {give_up_after_s:g} s")
        (found,) = outcome
        if isinstance(found, BaseException):
            raise found
        return found

    def close(self) -> None:
        """Let the thread end, once it is free."""
        if self._work is not None:
            self._work.put(None)
            self._work = None

    def _thread(self) -> "queue.SimpleQueue[Callable[[], None] | None]":
        if self._work is None:
            self._work = queue.SimpleQueue()
            threading.Thread(target=_run, args=(self._work,), name=self._name, daemon=True).start()
        return self._work


def _run(work: "queue.SimpleQueue[Callable[[], None] | None]") -> None:
    while (task := work.get()) is not None:
        task()
