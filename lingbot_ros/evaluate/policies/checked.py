"""An answer of a policy, made certain to be actions."""

import numpy as np

from lingbot_ros.evaluate.policies.contract import Actions, FailureKind, PolicyFailure


def check_actions(answer: object, dim: int) -> Actions | PolicyFailure:
    """The answer as a chunk float64 [n, dim] with n >= 1, or what is wrong with it."""
    try:
        values = np.array(answer, np.float64)
    except (TypeError, ValueError):
        return _bad(f"an answer of type {type(answer).__name__} is no array of numbers")
    chunk = values[None] if values.ndim == 1 else values
    if chunk.ndim != 2 or chunk.shape[1] != dim or not len(chunk):
        return _bad(f"an action of shape {list(values.shape)}; give [{dim}] or [n, {dim}]")
    if not np.isfinite(chunk).all():
        step, component = (int(index) for index in np.argwhere(~np.isfinite(chunk))[0])
        return _bad(f"component {component} of action {step} is {chunk[step, component]}")
    return chunk


def _bad(reason: str) -> PolicyFailure:
    return PolicyFailure(FailureKind.BAD_ACTION, reason)
