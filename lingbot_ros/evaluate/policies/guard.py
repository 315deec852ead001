"""Calls of a policy, made to end in an answer or in a reason."""

import time
from collections.abc import Callable
from typing import TypeVar

from lingbot_ros.evaluate.policies.contract import FailureKind, PolicyCrashedError, PolicyFailure, PolicyGoneError
from lingbot_ros.evaluate.policies.patience import NoAnswerError, Patience, PatientCaller

T = TypeVar("T")


class Guard:
    """Runs a policy's code in a thread of its own; what it raises, and what takes too long, becomes a failure."""

    def __init__(self, name: str, patience: Patience, clock: Callable[[], float] = time.monotonic) -> None:
        self._patience = patience
        self._caller = PatientCaller(f"policy {name}", clock)

    def make(self, factory: Callable[[], T]) -> T | PolicyFailure:
        """What the factory makes. It may take long, as networks are loaded."""
        return self._call(factory, self._patience.ready_within_s, self._patience.ready_within_s)

    def ask(self, function: Callable[[], T]) -> T | PolicyFailure:
        """What the policy answers."""
        return self._call(function, self._patience.late_after_s, self._patience.give_up_after_s)

    def close(self) -> None:
        """Let the thread end."""
        self._caller.close()

    def _call(self, function: Callable[[], T], late_after_s: float, give_up_after_s: float) -> T | PolicyFailure:
        try:
            answer = self._caller.call(function, give_up_after_s)
        except NoAnswerError as error:
            return PolicyFailure(FailureKind.STALLED, str(error))
        except PolicyGoneError as error:
            return PolicyFailure(FailureKind.GONE, str(error))
        except PolicyCrashedError as error:
            return PolicyFailure(FailureKind.CRASHED, str(error))
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            return PolicyFailure(FailureKind.CRASHED, f"{type(error).__name__}: {error}")
        if answer.took_s > late_after_s:
            reason = f"answered after {answer.took_s:.3g} s; the limit is {late_after_s:g} s"
            return PolicyFailure(FailureKind.LATE, reason)
        return answer.value
