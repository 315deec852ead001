"""Single policies, one for every row, seen as one that plays many rollouts."""

import time
from collections.abc import Callable, Sequence
from functools import partial

from lingbot_ros.evaluate.policies.contract import Actions, Observation, Policy, PolicyFailure, Start
from lingbot_ros.evaluate.policies.guard import Guard
from lingbot_ros.evaluate.policies.patience import Patience


class EachRow:
    """Plays every row with a policy of its own, made by `factory` when the row first begins.

    What a policy raises, or does not answer in time, ends its row with a reason; the row's next rollout gets a new one.
    """

    def __init__(
        self,
        name: str,
        factory: Callable[[], Policy],
        patience: Patience | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._factory = factory
        self._guard = Guard(name, patience or Patience(), clock)
        self._policies: dict[int, Policy] = {}

    def begin(self, row: int, start: Start, seed: int) -> PolicyFailure | None:
        policy = self._policies.pop(row, None)
        if policy is None:
            made = self._guard.make(self._factory)
            if isinstance(made, PolicyFailure):
                return made
            policy = made
        failure = self._guard.ask(partial(policy.reset, seed))
        if failure is None:
            self._policies[row] = policy
        return failure

    def act(self, rows: Sequence[int], observations: Sequence[Observation]) -> list[Actions | PolicyFailure]:
        return [self._answer(row, seen) for row, seen in zip(rows, observations, strict=True)]

    def end(self, row: int) -> None:
        """The row's policy stays for its next rollout."""

    def close(self) -> None:
        """Close policies that have a method `close`, and let the thread in which they run end."""
        for row in list(self._policies):
            self._drop(row)
        self._guard.close()

    def _answer(self, row: int, seen: Observation) -> Actions | PolicyFailure:
        answer = self._guard.ask(partial(self._policies[row].act, seen))
        if isinstance(answer, PolicyFailure):
            self._drop(row)
        return answer

    def _drop(self, row: int) -> None:
        if callable(close := getattr(self._policies.pop(row), "close", None)):
            self._guard.ask(close)
