"""Rigid layers learned from images and actions alone, beside those that were told the simulator's states: Push-T.

    ./lingbot dataset pusht --out DATA --episodes 120 --steps 80 --seed 0
    ./lingbot python -m benchmarks.lasting.own_clips strip DATA CLIPS
    ./lingbot train --config config/training/layers.yaml --data CLIPS --run RUN --export MODEL
    ./lingbot python -m benchmarks.lasting.own_clips compare pusht-lasting MODEL [--windows 24] [--seed 5]

`strip` writes frames and actions of a data set, and nothing else, as clips of one's own. `compare` prints a line of
figures for each model, at frame 1, 16 and 64 of the same held-out windows, as `compare.py` does.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.lasting.compare import CONTEXT, kept
from lingbot_ros.datasets.plan import PlanOptions, make_plan
from lingbot_ros.datasets.writer import ClipSetWriter
from lingbot_ros.tasks.pusht.dataset.held_out import held_out_windows, stack_windows
from lingbot_ros.tasks.pusht.dataset.reader import PushTDataset
from lingbot_ros.tasks.pusht.metrics import measure
from lingbot_ros.tasks.pusht.windows import PushTWindows
from lingbot_ros.world import World

FRAMES = (1, 16, 64)


def strip(data: PushTDataset, clips: Path, episodes: int) -> None:
    """Write the first episodes as clips."""
    steps = [data.plan.steps] * min(episodes, len(data))
    plan = make_plan({"type": "frames and actions"}, 10.0, ("x", "y"), steps, PlanOptions())
    writer = ClipSetWriter(clips, plan)
    for episode in writer.missing():
        writer.write(episode, iter(np.array(data.frames(episode))), data.actions[episode])
    writer.finish()


def figures(world: World, windows: PushTWindows) -> dict[str, list[float]]:
    """Of what a world imagines of the windows; actions are clipped to the range that it learned."""
    control = world.info.control
    actions = np.clip(windows.actions.astype(np.float64), control.low, control.high)
    windows, at = replace(windows, actions=actions), np.array(FRAMES) - 1
    imagined = np.stack([kept(world, windows, n)[at] for n in range(len(windows))])
    real = windows.future[:, at]
    measures = measure(imagined, real, windows.pusher[:, CONTEXT:][:, at], windows.block[:, CONTEXT:][:, at])
    error = ((imagined.astype(np.float64) - real) ** 2).mean((2, 3, 4))
    return {
        "psnr_db_mean": (10 * np.log10(255**2 / error)).mean(0).round(1).tolist(),
        "block_iou_mean": measures.block_iou.mean(0).round(3).tolist(),
        "block_iou_median": np.median(measures.block_iou, 0).round(3).tolist(),
        "pose_px_median": np.median(measures.pose_px, 0).round(2).tolist(),
        "pose_deg_median": np.median(measures.pose_deg, 0).round(2).tolist(),
        "rigidity_mean": measures.rigidity.mean(0).round(3).tolist(),
        "lost_share": measures.lost.mean(0).round(3).tolist(),
    }


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    stripping = commands.add_parser("strip")
    stripping.add_argument("data", type=Path)
    stripping.add_argument("clips", type=Path)
    stripping.add_argument("--episodes", type=int, default=120)
    comparing = commands.add_parser("compare")
    comparing.add_argument("models", nargs="+")
    comparing.add_argument("--windows", type=int, default=24)
    comparing.add_argument("--seed", type=int, default=5)
    args = parser.parse_args()
    if args.command == "strip":
        strip(PushTDataset(args.data), args.clips, args.episodes)
        return
    drawn = list(held_out_windows(args.windows, args.seed, CONTEXT, FRAMES[-1]))
    windows = stack_windows(drawn, CONTEXT, FRAMES[-1])
    for model in args.models:
        print(model, json.dumps(figures(World.load(model, threads=1), windows)), flush=True)


if __name__ == "__main__":
    main()
