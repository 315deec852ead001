"""Robot actions of a chunk: checked, scaled, and joined with those before them."""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from lingbot_ros.checkpoints.cards import ControlSpec
from lingbot_ros.errors import InputError


class ActionControl:
    """One session's action input. `encode` changes nothing; `commit` makes the chunk's actions the past."""

    def __init__(self, spec: ControlSpec, history: int) -> None:
        self._spec, self._history = spec, history
        self._low = np.array(spec.low, np.float64)
        self._span = np.array(spec.high, np.float64) - self._low
        self._past: NDArray[np.float32] | None = None  # [history - 1, dim] scaled, newest first
        self.last: NDArray[np.float64] | None = None  # [dim] in the card's unit, of the last committed frame
        self._encoded: NDArray[np.float64] | None = None

    def encode(self, controls: ArrayLike, frames: int) -> dict[str, Tensor]:
        """Actions [frames, dim] in the card's unit -> `actions` float32 [1, frames, history, dim], -1..1, newest first.

        Before the first action of a session the robot is taken to have been commanded to where it is sent first.
        Raises InputError naming the component, its value and the accepted range.
        """
        actions = check_actions(controls, frames, self._spec)
        scaled = self._scaled(actions)
        self._encoded = actions[-1]
        past = self._past_of(scaled)
        rows = np.empty((1, frames, self._history, self._spec.dim), np.float32)
        for row, action in zip(rows[0], scaled, strict=True):  # for one frame faster than any indexing
            row[0], row[1:] = action, past
            past = row[:-1]
        return {"actions": torch.from_numpy(rows)}

    def commit(self, encoded: Mapping[str, Tensor]) -> None:
        """Remember the newest actions of what `encode` returned."""
        self._past = encoded["actions"][0, -1, :-1].numpy().copy()
        self.last = self._encoded

    def state(self) -> dict[str, Tensor]:
        """`past_actions` [history - 1, dim] scaled, oldest first, and `last_action` [dim], where they are known."""
        past = None if self._past is None else self._past[::-1]
        known = {"past_actions": past, "last_action": self.last}
        return {name: torch.from_numpy(value.copy()) for name, value in known.items() if value is not None}

    def load_state(self, state: dict[str, Tensor]) -> None:
        past = state.get("past_actions")
        last = state.get("last_action")
        for tensor, shape in ((past, (self._history - 1, self._spec.dim)), (last, (self._spec.dim,))):
            if tensor is not None and tuple(tensor.shape) != shape:
                raise ValueError(f"actions of shape {list(tensor.shape)} instead of {list(shape)}")
        self._past = None if past is None else past.cpu().numpy()[::-1].copy()
        self.last = None if last is None else last.cpu().numpy().copy()

    def _scaled(self, actions: NDArray[np.float64]) -> NDArray[np.float32]:
        return (2 * (actions - self._low) / self._span - 1).astype(np.float32)

    def _past_of(self, scaled: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.repeat(scaled[:1], self._history - 1, axis=0) if self._past is None else self._past


def check_actions(controls: ArrayLike, frames: int, spec: ControlSpec) -> NDArray[np.float64]:
    """The actions as float64 [frames, dim], or InputError naming the field, value and fix."""
    try:
        actions = np.asarray(controls, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError("action", controls, f"give numbers, [{frames}, {spec.dim}]") from error
    if actions.shape != (frames, spec.dim):
        raise InputError(
            "action",
            f"shape {list(actions.shape)}",
            f"give {frames} action{'s' if frames > 1 else ''} of {spec.dim} numbers ({', '.join(spec.names)})",
        )
    for component, name in enumerate(spec.names):
        low, high = spec.low[component], spec.high[component]
        for frame, value in enumerate(actions[:, component]):
            if not low <= value <= high:  # also catches NaN
                fix = f"give a finite number from {low:g} to {high:g} {spec.unit}".rstrip()
                raise InputError(f"action[{frame}].{name}", value, fix)
    return actions
