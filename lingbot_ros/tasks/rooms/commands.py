"""The command of rooms: `lingbot dataset rooms`."""

import argparse
from pathlib import Path

from lingbot_ros.tasks.task import Command


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True, help="folder of the data set")
    parser.add_argument("--houses", type=int, default=600, help="houses, one drive in each (default %(default)s)")
    parser.add_argument("--frames", type=int, default=32, help="frames per drive (default %(default)s)")
    parser.add_argument("--fps", type=float, default=8.0, help="frames per second of the drive (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="base seed (default %(default)s)")
    parser.add_argument(
        "--split", default="train", choices=("train", "validation", "test"), help="splits never share a house"
    )


def _make_dataset(args: argparse.Namespace) -> int:
    """Render what is missing of the set. Returns 0 when it is complete, 130 when interrupted."""
    from lingbot_ros.datasets.progress import made_all
    from lingbot_ros.tasks.rooms.dataset.writer import missing_houses, plan_dataset, write_houses

    plan = plan_dataset(args.split, args.seed, args.houses, args.frames, args.fps)
    missing = missing_houses(args.out, plan)
    size = plan.bytes / 1e9
    print(f"{args.out}: {plan.houses} {plan.split} houses, {plan.houses * plan.frames} frames, {size:.2f} GB")
    if not made_all((1 for _ in write_houses(args.out, plan, missing)), plan.houses, len(missing), "house"):
        return 130
    print("complete")
    return 0


DATASET = Command(
    "rooms",
    "render drives through houses with MiniWorld: colour, depth, poses",
    _add_arguments,
    _make_dataset,
    description="Render drives through houses with MiniWorld: colour, depth, camera poses and intrinsics.",
)
