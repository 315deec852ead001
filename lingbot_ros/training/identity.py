"""What a run was begun with, kept in its checkpoint: a resumed run must not mix two data sets or two networks."""

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.checkpoints.architecture import to_plain
from lingbot_ros.checkpoints.cards import ControlSpec
from lingbot_ros.errors import ModelError
from lingbot_ros.training.config import TrainConfig

_FIXED = ("transformer", "stream", "data")
MAY_CHANGE = (
    "schedule", "rollout", "validation", "gate", "distill", "moving_fraction", "foreground_weight", "motion_weight",
    "parts_weight", "seed", "name", "clips",
)  # fmt: skip
"""Of a configuration, and the clips themselves, as long as their actions, size and rate stay what they were."""


def run_identity(
    config: TrainConfig, background: NDArray[np.uint8], control: ControlSpec | None = None, fps: float | None = None
) -> dict[str, Any]:
    """What a checkpoint remembers, as plain values.

    background: uint8 [H, W, 3], the data's median image. control, fps: of the data, where they are known.
    """
    height, width = background.shape[:2]
    data = {"height": height, "width": width, "fps": fps}
    if control is not None:
        data |= {"action": list(control.names), "low": list(control.low), "high": list(control.high)}
        data["unit"] = control.unit
    clips = hashlib.sha256(np.ascontiguousarray(background).tobytes()).hexdigest()[:12]
    return {**to_plain(config), "data": data, "clips": f"median image {clips}"}


def require_same_run(begun: Mapping[str, Any] | None, now: Mapping[str, Any], checkpoint: str) -> list[str]:
    """Lines about what changed and may. Raises ModelError that names what changed and must not.

    begun: of the checkpoint, None for those of versions that did not remember it.
    """
    if begun is None:
        return [f"{checkpoint} does not say with which data and configuration it was begun; they are not compared"]
    changes = _changes(begun, now, "")
    refused = [line for key, line in changes if key.split(".")[0] in _FIXED]
    if refused:
        fix = (
            "resume it with its own data and configuration, or give another --run. What may change: "
            f"{', '.join(MAY_CHANGE)}, iterations, minutes, device, precision"
        )
        raise ModelError(f"{checkpoint} was begun with other data or another network: {'; '.join(refused)}; {fix}")
    return [f"the run goes on with {line}" for _, line in changes]


def _changes(begun: Mapping[str, Any], now: Mapping[str, Any], prefix: str) -> list[tuple[str, str]]:
    """Key and line of each value that is not what it was."""
    found: list[tuple[str, str]] = []
    for name in dict.fromkeys([*begun, *now]):
        was, to, key = begun.get(name), now.get(name), f"{prefix}{name}"
        if isinstance(was, dict) and isinstance(to, dict):
            found += _changes(was, to, f"{key}.")
        elif was != to:
            found.append((key, f"{key} {_said(to)} (begun with {_said(was)})"))
    return found


def _said(value: Any) -> str:
    return ", ".join(map(_said, value)) if isinstance(value, list) else str(value)
