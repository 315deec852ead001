"""A policy that answers for many rollouts in one call, as networks do best."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from lingbot_ros.evaluate.policies.contract import Actions, FailureKind, Observation, PolicyFailure, Start
from lingbot_ros.evaluate.policies.guard import Guard
from lingbot_ros.evaluate.policies.patience import Patience


class BatchPolicy(Protocol):
    """A policy with rows. It keeps what it remembers of each by the row's number."""

    def reset(self, row: int, seed: int) -> None:
        """Begin a rollout in `row`; all randomness of it comes from `seed`."""

    def act(self, rows: Sequence[int], observations: Sequence[Observation]) -> Sequence[Actions]:
        """For each of `rows`, float64 [dim] or a chunk [n, dim]."""


class Batched:
    """Plays all rows with one policy, made when the first row begins.

    A call that raises or takes too long ends all rows that it was for; the next rollout gets a new policy.
    """

    def __init__(
        self,
        name: str,
        factory: Callable[[], BatchPolicy],
        patience: Patience | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._factory = factory
        self._guard = Guard(name, patience or Patience(), clock)
        self._policy: BatchPolicy | None = None

    def begin(self, row: int, start: Start, seed: int) -> PolicyFailure | None:
        if self._policy is None:
            made = self._guard.make(self._factory)
            if isinstance(made, PolicyFailure):
                return made
            self._policy = made
        failure = self._guard.ask(partial(self._policy.reset, row, seed))
        if failure is not None:
            self._policy = None
        return failure

    def act(self, rows: Sequence[int], observations: Sequence[Observation]) -> Sequence[Actions | PolicyFailure]:
        policy = self._policy
        if policy is None:
            return [PolicyFailure(FailureKind.CRASHED, "the policy failed in another row")] * len(rows)
        answers = self._guard.ask(lambda: list(policy.act(rows, observations)))
        if not isinstance(answers, PolicyFailure) and len(answers) != len(rows):
            reason = f"{len(answers)} answers for {len(rows)} rows"
            answers = PolicyFailure(FailureKind.BAD_ACTION, reason)
        if isinstance(answers, PolicyFailure):
            self._policy = None
            return [answers] * len(rows)
        return answers

    def end(self, row: int) -> None:
        """The policy stays for the next rollout."""

    def close(self) -> None:
        """Let the thread in which the policy runs end."""
        self._guard.close()
