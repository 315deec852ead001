"""Actions that were recorded, played again open loop."""

from collections.abc import Mapping, Sequence

import numpy as np

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.policies.contract import Actions, FailureKind, Observation, PolicyFailure, Start


class RecordedActions:
    """Plays for every start the actions that were recorded for it, one at a time; it sees nothing."""

    def __init__(self, name: str, actions: Mapping[str, Actions] | Actions) -> None:
        """actions float64 [steps, dim] for all starts, or by the start's id. Raises InputError for other shapes."""
        self.name = name
        self._actions = actions
        self._playing: dict[int, Actions] = {}
        for part in actions.values() if isinstance(actions, Mapping) else [actions]:
            if part.ndim != 2 or not np.isfinite(part).all():
                raise InputError("actions", f"shape {list(part.shape)}", "give finite numbers [steps, dim]")

    def begin(self, row: int, start: Start, seed: int) -> PolicyFailure | None:
        if isinstance(self._actions, Mapping):
            if start.id not in self._actions:
                return PolicyFailure(FailureKind.OUT_OF_ACTIONS, f"nothing was recorded for the start {start.id}")
            self._playing[row] = self._actions[start.id]
        else:
            self._playing[row] = self._actions
        return None

    def act(self, rows: Sequence[int], observations: Sequence[Observation]) -> list[Actions | PolicyFailure]:
        return [self._next(self._playing[row], seen.step) for row, seen in zip(rows, observations, strict=True)]

    def end(self, row: int) -> None:
        self._playing.pop(row, None)

    def close(self) -> None:
        """There is nothing to let go of."""

    @staticmethod
    def _next(actions: Actions, step: int) -> Actions | PolicyFailure:
        if step >= len(actions):
            return PolicyFailure(FailureKind.OUT_OF_ACTIONS, f"the recording ends after {len(actions)} actions")
        return actions[step : step + 1]
