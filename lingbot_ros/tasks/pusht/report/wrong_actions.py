"""Does the model listen? The same starts with other actions must lead to other futures: those of the simulator."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.evaluate.metric import psnr_db
from lingbot_ros.tasks.pusht.geometry import ARENA_SIZE
from lingbot_ros.tasks.pusht.image_reader import block_iou, pusher_centre, read_shares
from lingbot_ros.tasks.pusht.metrics import pusher_errors
from lingbot_ros.tasks.pusht.windows import PushTWindows

Floats = NDArray[np.float64]
Images = NDArray[np.uint8]

KINDS = ("shuffled", "hold", "zero", "flipped")


@dataclass(frozen=True)
class WrongFuture:
    """Under wrong actions, for the first M windows: what was imagined and what the simulator shows, and its pusher.

    imagined, simulated uint8 [M, H, 96, 96, 3]; pusher float64 [M, H, 2], simulator units.
    """

    imagined: Images
    simulated: Images
    pusher: Floats


@dataclass(frozen=True)
class Discrepancy:
    """How far two futures are from one another, float64 [M, F].

    pusher_px is NaN where the pusher is to be seen in neither image: wrong actions can drive it off the table.
    """

    psnr_db: Floats
    pusher_px: Floats
    block_iou: Floats


@dataclass(frozen=True)
class WrongActions:
    """What wrong actions led to, at `frames`.

    from_same: imagined against simulated under the same wrong actions (as good as ever, if the model listens);
    from_true: imagined against the simulator's future under the true actions; change: simulated under the wrong against
    simulated under the true ones, which is what from_true should be. first_pusher_px [M, up to 16]: the imagined
    pusher's distance from the true future's, every frame.
    """

    frames: tuple[int, ...]
    from_same: Discrepancy
    from_true: Discrepancy
    change: Discrepancy
    first_pusher_px: Floats


def wrong_actions(windows: PushTWindows, kind: str) -> NDArray[np.float32]:
    """Actions [N, H, 2] that did not happen.

    shuffled: those of the next window; hold: the target stays where the pusher was, so that nothing moves; zero: the
    target is (0, 0), the table's upper left corner; flipped: mirrored in the middle of the table.
    """
    true = windows.future_actions
    if kind == "shuffled":
        return np.roll(true, 1, axis=0)
    if kind == "hold":
        return np.repeat(windows.pusher[:, windows.context - 1, None], windows.horizon, axis=1).astype(np.float32)
    if kind == "zero":
        return np.zeros_like(true)
    if kind == "flipped":
        return (ARENA_SIZE - true).astype(np.float32)
    raise ValueError(f"unknown kind of wrong actions {kind!r}; known: {', '.join(KINDS)}")


def measure_wrong(windows: PushTWindows, future: WrongFuture, frames: tuple[int, ...]) -> WrongActions:
    """Compare at `frames`; `windows` may be more than the future has."""
    windows, at = windows.first(len(future.imagined)), np.array(frames) - 1
    real, true_pusher = windows.future[:, at], windows.pusher[:, windows.context :]
    imagined, simulated, pusher = future.imagined[:, at], future.simulated[:, at], future.pusher[:, at]
    first = min(16, windows.horizon)
    return WrongActions(
        frames=frames,
        from_same=_discrepancy(imagined, simulated, pusher),
        from_true=_discrepancy(imagined, real, true_pusher[:, at]),
        change=_discrepancy(simulated, real, true_pusher[:, at], pusher),
        first_pusher_px=pusher_errors(future.imagined[:, :first], true_pusher[:, :first]),
    )


def _discrepancy(
    first: Images, second: Images, second_pusher: Floats, first_pusher: Floats | None = None
) -> Discrepancy:
    """`first_pusher` is where it is in `first`, if that is known; else it is read off the images."""
    pairs = [list(zip(*rows, strict=True)) for rows in zip(first, second, strict=True)]
    if first_pusher is None:
        unseen = np.array([[_no_pusher(a) and _no_pusher(b) for a, b in row] for row in pairs])
        pusher_px = np.where(unseen, np.nan, pusher_errors(first, second_pusher))
    else:
        pusher_px = np.linalg.norm(first_pusher - second_pusher, axis=-1) * first.shape[2] / ARENA_SIZE
    return Discrepancy(
        psnr_db=np.array([[psnr_db(a, b) for a, b in row] for row in pairs]),
        pusher_px=pusher_px,
        block_iou=np.array([[block_iou(read_shares(a), read_shares(b)) for a, b in row] for row in pairs]),
    )


def _no_pusher(frame: NDArray[np.uint8]) -> bool:
    return bool(np.isnan(pusher_centre(read_shares(frame))).any())
