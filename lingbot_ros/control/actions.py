"""Robot actions of a chunk: checked, scaled, and joined with those before them."""

from collections.abc import Mapping, Sequence

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
        return {"actions": encode_together([self], check_actions(controls, frames, self._spec)[None])}

    def commit(self, encoded: Mapping[str, Tensor]) -> None:
        """Remember the newest actions of what `encode` returned."""
        if self._history > 1:
            self._past = encoded["actions"].numpy()[0, -1, :-1].copy()
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

    def _join(self, actions: NDArray[np.float64], rows: NDArray[np.float32]) -> None:
        """Put what was before behind the actions [frames, dim], which rows [frames, history, dim] have scaled."""
        self._encoded = actions[-1]
        if self._history > 1:
            past = np.repeat(rows[0, :1], self._history - 1, axis=0) if self._past is None else self._past
            for row in rows:
                row[1:] = past
                past = row[:-1]


def encode_together(controls: Sequence[ActionControl], actions: NDArray[np.float64]) -> Tensor:
    """What `encode` of each of B inputs of one model gives for its own of actions [B, frames, dim], which are in range:
    float32 [B, frames, history, dim].
    """
    first = controls[0]
    scaled = 2 * (actions - first._low) / first._span - 1
    rows = np.empty((*actions.shape[:2], first._history, actions.shape[2]), np.float32)
    rows[:, :, 0] = scaled
    for control, mine, row in zip(controls, actions, rows, strict=True):
        control._join(mine, row)
    return torch.from_numpy(rows)


def are_in_range(actions: NDArray[np.float64], spec: ControlSpec) -> NDArray[np.bool_]:
    """Which of B rows of actions [B, frames, dim] `check_actions` would take: [B]."""
    inside = (actions >= spec.low) & (actions <= spec.high)  # false for NaN
    return np.asarray(inside.all(axis=(1, 2)))


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
