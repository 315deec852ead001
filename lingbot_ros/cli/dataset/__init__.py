"""`lingbot dataset`: make the data that models are trained on."""

import argparse
import signal
from pathlib import Path

from lingbot_ros.cli.dataset import clips

HELP = "make a training data set from a simulator or from your own recordings"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sources a data set can be made from, one sub-command each."""
    sources = parser.add_subparsers(dest="source", required=True, metavar="SOURCE")
    pusht = sources.add_parser(
        "pusht",
        help="Push-T episodes simulated by gym-pusht, driven by a mixture of good and bad policies",
        description="Simulates Push-T episodes at 10 Hz, 96x96, with actions, poses and contacts. "
        "Run the same command again to take up an interrupted run.",
    )
    pusht.add_argument("--out", type=Path, required=True, help="folder of the data set")
    pusht.add_argument("--episodes", type=int, default=1600, help="episodes in the complete set (default %(default)s)")
    pusht.add_argument("--steps", type=int, default=80, help="actions per episode (default %(default)s)")
    pusht.add_argument("--seed", type=int, default=0, help="base seed (default %(default)s)")
    pusht.add_argument(
        "--split", default="train", choices=("train", "validation", "test"), help="splits never share a scene"
    )
    pusht.add_argument(
        "--workers", type=int, default=2, help="processes (default %(default)s); does not change the data"
    )
    clips.add_from_bag(sources)
    clips.add_from_lerobot(sources)


def run(args: argparse.Namespace) -> int:
    """Make the set, or what is missing of it. Returns 0 when it is complete, 130 when interrupted."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    return _pusht(args) if args.source == "pusht" else clips.make(args)


def _pusht(args: argparse.Namespace) -> int:
    from tqdm import tqdm

    from lingbot_ros.tasks.pusht.dataset.writer import make_shards, missing_shards, plan_dataset

    plan = plan_dataset(args.split, args.seed, args.episodes, args.steps)
    missing = missing_shards(args.out, plan)
    left = sum(len(plan.shard_range(shard)) for shard in missing)
    frames = plan.episodes * (plan.steps + 1)
    print(f"{args.out}: {plan.episodes} {plan.split} episodes, {frames} frames, {plan.bytes / 1e9:.2f} GB")
    with tqdm(total=plan.episodes, initial=plan.episodes - left, unit="episode", smoothing=0.1) as bar:
        try:
            for made in make_shards(args.out, plan, missing, args.workers):
                bar.update(made)
        except KeyboardInterrupt:
            bar.close()
            print(f"interrupted with {bar.n} of {plan.episodes} episodes; the same command takes up from there")
            return 130
    print("complete")
    return 0
