"""How many frames a model may be believed for: the last one up to which every limit of trust holds.

Measured on windows in which the block is pushed, as a block at rest flatters. The limits are the
loosest minimum of any frame, and to be surely better than the trivial guess.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.evaluate.bootstrap import summarise
from lingbot_ros.evaluate.limits import Check
from lingbot_ros.tasks.pusht.metrics import Measures

LEAST_RIGIDITY = 0.80
MOST_PUSHER_PX = 2.0
LEAST_IOU = 0.55
FEWEST_MOVED = 10
"""Of fewer windows in which the block has moved by a frame, nothing is said about beating a block at rest."""


@dataclass(frozen=True)
class Trust:
    """One frame's limits and whether all of them hold."""

    frame: int
    checks: tuple[Check, ...]
    holds: bool


def trust_by_frame(
    frames: Sequence[int],
    model: Measures,
    repeat: Measures,
    contact: NDArray[np.bool_],
    moved: NDArray[np.bool_],
) -> tuple[Trust, ...]:
    """Check every measured frame over the windows with `contact` [N]; `moved` [N, F] are those where it has shown."""
    rows = []
    for k, frame in enumerate(frames):
        checks = _checks(model.select(contact), repeat.select(contact), moved[contact], k)
        rows.append(Trust(frame, checks, bool(contact.any()) and all(check.passed for check in checks)))
    return tuple(rows)


def trusted_horizon(rows: Sequence[Trust]) -> int:
    """The last frame before the first that fails; 0 when that is the first one."""
    horizon = 0
    for row in rows:
        if not row.holds:
            break
        horizon = row.frame
    return horizon


def _checks(model: Measures, repeat: Measures, moved: NDArray[np.bool_], k: int) -> tuple[Check, ...]:
    psnr_gain = summarise(model.psnr_db[:, k] - repeat.psnr_db[:, k], "mean")
    checks = [
        Check("block rigidity, mean", summarise(model.rigidity[:, k], "mean").value, ">=", LEAST_RIGIDITY),
        Check("pusher error, median px", summarise(model.pusher_px[:, k], "median").value, "<=", MOST_PUSHER_PX),
        Check("block mask IoU, mean", summarise(model.block_iou[:, k], "mean").value, ">=", LEAST_IOU),
        Check("PSNR above that of the last frame, dB, low end of its interval", psnr_gain.low, ">", 0.0),
    ]
    if moved[:, k].sum() >= FEWEST_MOVED:
        gain = summarise((model.block_iou - repeat.block_iou)[moved[:, k], k], "mean")
        name = "IoU above that of a block at rest, where it has moved, low end of its interval"
        checks.append(Check(name, gain.low, ">", 0.0))
    return tuple(checks)
