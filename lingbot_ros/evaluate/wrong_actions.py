"""Does the model listen? The same starts with other actions must lead to other futures: those of the simulator."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.evaluate.pusht_windows import PushTWindows
from lingbot_ros.evaluate.tee import ARENA_SIZE

KINDS = ("shuffled", "hold", "flipped")


@dataclass(frozen=True)
class WrongActions:
    """How far the pusher imagined under wrong actions is from two simulated ones; pixels, [N, F].

    from_true: the simulator's under the true actions (should be large); from_same: under the same wrong actions
    (should be as small as ever).
    """

    from_true: NDArray[np.float64]
    from_same: NDArray[np.float64]


def wrong_actions(windows: PushTWindows, kind: str) -> NDArray[np.float32]:
    """Actions [N, H, 2] that did not happen.

    shuffled: those of the next window; hold: the target stays where the pusher was; flipped: mirrored in the middle of
    the table.
    """
    true = windows.future_actions
    if kind == "shuffled":
        return np.roll(true, 1, axis=0)
    if kind == "hold":
        return np.repeat(windows.pusher[:, windows.context - 1, None], windows.horizon, axis=1).astype(np.float32)
    if kind == "flipped":
        return (ARENA_SIZE - true).astype(np.float32)
    raise ValueError(f"unknown kind of wrong actions {kind!r}; known: {', '.join(KINDS)}")
