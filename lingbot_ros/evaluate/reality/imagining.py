"""What a world makes of given actions, open loop, whether it runs here or elsewhere."""

import numpy as np

from lingbot_ros.errors import ErrorCode, InputError, LingbotError
from lingbot_ros.evaluate.policies.contract import Actions, Frame, Start
from lingbot_ros.evaluate.rollouts.stepper import Frames, RowError, Stepper


def imagine_along(stepper: Stepper, row: int, image: Frame, actions: Actions, seed: int = 0) -> Frames:
    """Start the free place `row` at `image` uint8 [h, w, 3] and step it by `actions` [T, dim].

    Returns uint8 [n + 1, H, W, 3], frame 0 being the image as the world shows it and n the largest number of whole
    steps within T; the place is free again. Raises InputError for actions that the world cannot take or too few of
    them, LingbotError where it refuses the image or fails.
    """
    wanted = check_actions(stepper, actions)
    first = stepper.start(row, Start("given", image), seed)
    if isinstance(first, RowError):
        raise LingbotError(first.reason, ErrorCode.INVALID_INPUT)
    try:
        frames, done = [first[None]], 0
        while done + (count := stepper.frames_in_next_step(row)) <= len(wanted):
            made = stepper.step({row: wanted[done : done + count]})[row]
            if isinstance(made, RowError):
                raise LingbotError(f"after {done} frames: {made.reason}")
            frames.append(made)
            done += count
    finally:
        stepper.end(row)
    if not done:
        raise InputError(
            "actions", f"{len(wanted)} of them", f"give {count} or more: the model imagines so many at once"
        )
    return np.concatenate(frames)


def check_actions(stepper: Stepper, actions: Actions) -> Actions:
    """The actions [T, dim] inside the box of the world, float64. Raises InputError for others than finite ones."""
    values = np.asarray(actions, np.float64)
    dim = len(stepper.low)
    if values.ndim != 2 or values.shape[1] != dim:
        raise InputError("actions", f"shape {list(values.shape)}", f"give [steps, {dim}]: the model takes {dim} values")
    if not np.isfinite(values).all():
        raise InputError("actions", "a value that is not finite", "leave such actions out")
    return np.asarray(np.clip(values, stepper.low, stepper.high))
