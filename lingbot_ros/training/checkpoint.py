"""A training run's state on disk: one file, replaced atomically, that resumes it."""

import os
from pathlib import Path
from typing import Any

import torch

from lingbot_ros.errors import ModelError
from lingbot_ros.model.finite import require_finite


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write beside `path`, then rename: an interrupted write leaves the previous checkpoint.

    Raises ModelError, and leaves that one too, where weights are not finite.
    """
    _require_finite(path, state, "was not overwritten")
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    os.replace(partial, path)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint without running any code from it; raises ModelError if it is damaged or holds NaN."""
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises anything from EOFError to UnpicklingError on a damaged file
        raise ModelError(
            f"{path}: not a readable checkpoint ({error}); delete it to start from the beginning"
        ) from error
    _require_finite(path, state, "cannot be resumed")
    return state


def _require_finite(path: Path, state: dict[str, Any], what: str) -> None:
    for part in ("model", "average"):
        fix = "train with a smaller learning_rate, in another --run"
        require_finite(state.get(part, {}), f"{path} {what}", fix)
