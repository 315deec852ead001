"""What makes a world of rigid layers last: each of its choices against the other one, on the same held-out windows.

    ./lingbot python benchmarks/lasting/compare.py [--windows 24] [--seed 5] [--horizon 64] [--json FILE]

Nothing is trained, so that the budget is equal: all rows have the constants of `pusht-lasting`. `pusht-small` is the
other way: a transformer that resamples the image before. Printed are the mean IoU of the block's masks at frame 1, 16
and the last one, the median error of its pose, its rigidity and how often it was lost.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.evaluate.machine import describe_machine
from lingbot_ros.model.rigid_layers import capture, outline_fit
from lingbot_ros.model.rigid_layers.outline_fit import MOST_CORNERS, Fit, share_error
from lingbot_ros.model.rigid_layers.sight import Sight
from lingbot_ros.tasks.pusht.dataset.held_out import held_out_windows, stack_windows
from lingbot_ros.tasks.pusht.metrics import measure
from lingbot_ros.tasks.pusht.windows import PushTWindows
from lingbot_ros.world import Session, World

CONTEXT = 4


def begin(world: World, windows: PushTWindows, n: int, context: int = CONTEXT) -> Session:
    """A session that has seen the last `context` real frames of a window."""
    first = CONTEXT - context
    session = world.start(windows.past[n, first], seed=n)
    for k in range(first + 1, CONTEXT):
        session.observe(windows.past[n, k : k + 1], windows.past_actions[n, k - 1 : k])
    return session


def kept(world: World, windows: PushTWindows, n: int) -> NDArray[np.uint8]:
    """As shipped: what was seen is kept and drawn once per frame."""
    session = begin(world, windows, n)
    return np.concatenate([session.step(action[None]) for action in windows.future_actions[n]])


def one_image(world: World, windows: PushTWindows, n: int) -> NDArray[np.uint8]:
    """Kept, but seen once instead of four times."""
    session = begin(world, windows, n, context=1)
    return np.concatenate([session.step(action[None]) for action in windows.future_actions[n]])


def free_corners(world: World, windows: PushTWindows, n: int) -> NDArray[np.uint8]:
    """Kept and fitted, but corners that are nearly square are left as they were read."""
    with patch.object(outline_fit, "square_outline", lambda outline: None):
        return kept(world, windows, n)


def fed_back(world: World, windows: PushTWindows, n: int) -> NDArray[np.uint8]:
    """Not kept: after every frame the world knows no more than that frame shows, as models that resample do."""
    session, frames = begin(world, windows, n), []
    for action in windows.future_actions[n]:
        frames.append(session.step(action[None])[0])
        session = world.start(frames[-1], seed=n)
    return np.stack(frames)


def masked(world: World, windows: PushTWindows, n: int) -> NDArray[np.uint8]:
    """Kept, but its shape is the line of half coverage of one mask instead of an outline fitted to four images."""
    with mask_shapes():
        session = begin(world, windows, n, context=1)
    return np.concatenate([session.step(action[None]) for action in windows.future_actions[n]])


@contextmanager
def mask_shapes() -> Iterator[None]:
    """Have worlds take the rough contour for the outline."""

    def unfitted(contour: NDArray[np.float64], sights: list[Sight], ramp_px: float) -> Fit:
        outline = contour[:: max(1, -(-len(contour) // MOST_CORNERS))]
        return Fit(outline, np.stack([sight.pose for sight in sights]), share_error(outline, sights, ramp_px))

    with patch.object(capture, "fit_outline", unfitted):
        yield


ROWS: dict[str, tuple[str, Callable[[World, PushTWindows, int], NDArray[np.uint8]]]] = {
    "as shipped": ("pusht-lasting", kept),
    "one real image instead of four": ("pusht-lasting", one_image),
    "corners not made square": ("pusht-lasting", free_corners),
    "shape from one mask, not fitted": ("pusht-lasting", masked),
    "not kept: every image read anew from the one before": ("pusht-lasting", fed_back),
    "a transformer that resamples (`pusht-small`)": ("pusht-small", kept),
}


def compare(windows: PushTWindows, horizon: int) -> dict[str, dict[str, list[float]]]:
    """Figures of every row at frame 1, 16 and the last one."""
    at = np.array(sorted({1, min(16, horizon), horizon})) - 1
    future = slice(CONTEXT, None)
    found = {}
    for name, (model, imagine) in ROWS.items():
        world = World.load(model, threads=1)
        frames = np.stack([imagine(world, windows, n)[at] for n in range(len(windows))])
        true = windows.pusher[:, future][:, at], windows.block[:, future][:, at]
        measures = measure(frames, windows.future[:, at], *true)
        found[name] = {
            "frames": (at + 1).tolist(),
            "block_iou_mean": measures.block_iou.mean(0).round(3).tolist(),
            "pose_px_median": np.median(measures.pose_px, 0).round(2).tolist(),
            "pose_deg_median": np.median(measures.pose_deg, 0).round(2).tolist(),
            "rigidity_mean": measures.rigidity.mean(0).round(3).tolist(),
            "lost_share": measures.lost.mean(0).round(3).tolist(),
        }
        print(name, json.dumps(found[name]), flush=True)
    return found


def main() -> None:
    """Draw windows with an early push, imagine them in every way, print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--windows", type=int, default=24)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--horizon", type=int, default=64)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    drawn = list(held_out_windows(args.windows, args.seed, CONTEXT, args.horizon))
    rows = compare(stack_windows(drawn, CONTEXT, args.horizon), args.horizon)
    if args.json:
        report = {"windows": args.windows, "seed": args.seed, "rows": rows, "machine": describe_machine()}
        args.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
