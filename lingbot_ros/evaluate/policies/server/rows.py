"""Served policies as the evaluator plays them: a connection for every row."""

from collections.abc import Sequence
from dataclasses import replace

from lingbot_ros.evaluate.policies.contract import (
    Actions,
    FailureKind,
    Observation,
    PolicyFailure,
    PolicyGoneError,
    Start,
)
from lingbot_ros.evaluate.policies.each_row import EachRow
from lingbot_ros.evaluate.policies.patience import Patience
from lingbot_ros.evaluate.policies.server.client import Asking, ServedPolicy
from lingbot_ros.evaluate.policies.server.process import Worker


def server_policy(name: str, address: str, asking: Asking, patience: Patience) -> EachRow:
    """The policy of a server that runs already, on this machine or another.

    Once it was not there, nobody waits for it again: every later rollout looks for it, and fails at once without it.
    """
    wait = asking

    def connected() -> ServedPolicy:
        nonlocal wait
        try:
            return ServedPolicy(lambda: address, wait)
        except PolicyGoneError:
            wait = replace(asking, connect_within_s=0.0)
            raise

    return EachRow(name, connected, patience)


class WorkerPolicy(EachRow):
    """The policy of a worker process, which ends with it. What the process said last is the reason where it died."""

    def __init__(self, name: str, worker: Worker, asking: Asking, patience: Patience) -> None:
        super().__init__(name, lambda: ServedPolicy(worker.address, asking), patience)
        self._worker = worker

    def begin(self, row: int, start: Start, seed: int) -> PolicyFailure | None:
        failure = super().begin(row, start, seed)
        return None if failure is None else self._explained(failure)

    def act(self, rows: Sequence[int], observations: Sequence[Observation]) -> list[Actions | PolicyFailure]:
        answers = super().act(rows, observations)
        return [self._explained(answer) if isinstance(answer, PolicyFailure) else answer for answer in answers]

    def close(self) -> None:
        super().close()
        self._worker.close()

    def _explained(self, failure: PolicyFailure) -> PolicyFailure:
        words = self._worker.last_words() if failure.kind is FailureKind.GONE else ""
        return PolicyFailure(failure.kind, words or failure.reason)
