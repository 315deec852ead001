"""Where things go under many actions at once: poses alone, without images and without sessions."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from lingbot_ros.checkpoints.cards import ControlSpec
from lingbot_ros.errors import InputError
from lingbot_ros.model.rigid_layers.constants import Constants
from lingbot_ros.model.rigid_layers.motion import roll
from lingbot_ros.model.rigid_layers.state import Bodies, Variants
from lingbot_ros.model.rigid_layers.variants import roll_all


@dataclass(frozen=True)
class RolloutState:
    """What a session of rigid layers moves, at one instant; made by `LayerSession.rollout_state`. Never changes.

    `bodies` and `variants` have one row, or one for every row of actions; `control` is the card's, `size` width and
    height in pixels.
    """

    constants: Constants
    bodies: Bodies
    variants: Variants
    control: ControlSpec
    size: tuple[int, int]


@torch.inference_mode()
def roll_poses(state: RolloutState, actions: ArrayLike) -> Tensor:
    """Poses float32 [B, T, K, 3] (x, y in pixels, turn in radians) under actions [B, T, A] in the card's unit.

    The same numbers as stepping a session with the same actions. A layer's turn is 0 as it was first seen; the driven
    layers come first. Raises InputError for actions of another shape, out of range or not finite.
    """
    targets = _targets(state, actions)
    return roll(state.constants, state.bodies.expand(len(targets)), targets)


@torch.inference_mode()
def roll_copies(state: RolloutState, actions: ArrayLike) -> tuple[Tensor, Tensor]:
    """As `roll_poses`, and how far copies of the world that were read a little otherwise come from it, [B, T] pixels.

    A frame's spread is the largest since the last real image, see `rigid_layers.variants`; 0 without copies.
    """
    targets = _targets(state, actions)
    rows = len(targets)
    return roll_all(state.constants, state.bodies.expand(rows), state.variants.expand(rows), targets)


def _targets(state: RolloutState, actions: ArrayLike) -> Tensor:
    """Where actions [B, T, A] draw the driven layers, [B, T, driven, 2] in pixels. Raises InputError."""
    control, bodies = state.control, state.bodies
    try:
        values = np.asarray(actions, np.float64)
    except (TypeError, ValueError) as error:
        raise InputError("actions", type(actions).__name__, f"give numbers, [B, T, {control.dim}]") from error
    if values.ndim != 3 or values.shape[2] != control.dim or 0 in values.shape:
        raise InputError("actions", f"shape {list(values.shape)}", f"give [B, T, {control.dim}]")
    if len(bodies.poses) not in (1, len(values)):
        raise InputError("actions", f"{len(values)} rows", f"give {len(bodies.poses)}, one for every row of the state")
    low, high = np.array(control.low), np.array(control.high)
    if not ((values >= low) & (values <= high)).all():  # also catches NaN
        raise InputError("actions", "a value beyond its range", f"give {list(control.low)} to {list(control.high)}")
    scaled = torch.from_numpy(2 * (values - low) / (high - low) - 1).float()
    return to_targets(scaled.flatten(0, 1), state.size).unflatten(0, values.shape[:2])


def to_targets(actions: Tensor, size: tuple[int, int]) -> Tensor:
    """Actions [B, 2 driven], -1..1 from edge to edge of an image of this width and height: pixels [B, driven, 2]."""
    extent = actions.new_tensor(size)
    return (actions.unflatten(1, (-1, 2)) + 1) / 2 * extent - 0.5
