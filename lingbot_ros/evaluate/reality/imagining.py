"""What a world makes of given actions, open loop, whether it runs here or elsewhere."""

import numpy as np

from lingbot_ros.errors import ErrorCode, InputError, LingbotError
from lingbot_ros.evaluate.policies.contract import Actions, Start
from lingbot_ros.evaluate.rollouts.stepper import Frames, ObservingStepper, RowError, Stepper


def imagine_along(stepper: ObservingStepper, row: int, images: Frames, actions: Actions, seed: int = 0) -> Frames:
    """Start the free place `row` at `images` [C, H, W, 3], the real past, and step it on from there.

    actions [C - 1 + T, dim]: those between the images, and those to imagine. Returns uint8 [n, H, W, 3], n being the
    largest number of whole steps within T; the place is free again. Raises InputError for actions that the world cannot
    take or too few of them, and for a past that is no whole number of its steps; LingbotError where it refuses an image
    or fails.
    """
    wanted, past = check_actions(stepper, actions), len(images)
    first = stepper.start(row, Start("given", images[0]), seed)
    if isinstance(first, RowError):
        raise LingbotError(first.reason, ErrorCode.INVALID_INPUT)
    try:
        done = 1
        while done < past:
            count = stepper.frames_in_next_step(row)
            if done + count > past:
                raise InputError("context", past, f"give 1 more than a multiple of the model's {count} frames at once")
            refused = stepper.observe(row, images[done : done + count], wanted[done - 1 : done - 1 + count])
            if refused is not None:
                raise LingbotError(refused.reason, ErrorCode.INVALID_INPUT)
            done += count
        frames = []
        while done + (count := stepper.frames_in_next_step(row)) <= len(wanted) + 1:
            made = stepper.step({row: wanted[done - 1 : done - 1 + count]})[row]
            if isinstance(made, RowError):
                raise LingbotError(f"after {done - past} frames: {made.reason}")
            frames.append(made)
            done += count
    finally:
        stepper.end(row)
    if not frames:
        what = f"{len(wanted) - past + 1} of them"
        raise InputError("actions", what, f"give {count} or more: the model imagines so many at once")
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
