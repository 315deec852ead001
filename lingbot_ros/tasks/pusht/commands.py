"""The commands of Push-T: `lingbot dataset pusht`, and `lingbot train-head` for its two heads."""

import argparse
from pathlib import Path

from lingbot_ros.tasks.pusht.learned.command import POLICY
from lingbot_ros.tasks.task import Command

_WORLD_MODEL = "pusht-small"


def _add_dataset_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True, help="folder of the data set")
    parser.add_argument("--episodes", type=int, default=1600, help="episodes in the complete set (default %(default)s)")
    parser.add_argument("--steps", type=int, default=80, help="actions per episode (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="base seed (default %(default)s)")
    parser.add_argument(
        "--split", default="train", choices=("train", "validation", "test"), help="splits never share a scene"
    )
    parser.add_argument(
        "--workers", type=int, default=2, help="processes (default %(default)s); does not change the data"
    )


def _make_dataset(args: argparse.Namespace) -> int:
    """Make what is missing of the set. Returns 0 when it is complete, 130 when interrupted."""
    from lingbot_ros.datasets.progress import made_all
    from lingbot_ros.tasks.pusht.dataset.writer import make_shards, missing_shards, plan_dataset

    plan = plan_dataset(args.split, args.seed, args.episodes, args.steps)
    missing = missing_shards(args.out, plan)
    left = sum(len(plan.shard_range(shard)) for shard in missing)
    frames = plan.episodes * (plan.steps + 1)
    print(f"{args.out}: {plan.episodes} {plan.split} episodes, {frames} frames, {plan.bytes / 1e9:.2f} GB")
    if not made_all(make_shards(args.out, plan, missing, args.workers), plan.episodes, left, "episode"):
        return 130
    print("complete")
    return 0


def _add_training_arguments(parser: argparse.ArgumentParser, iterations: int) -> None:
    parser.add_argument("--iterations", type=int, default=iterations, help="training steps (default %(default)s)")
    parser.add_argument("--out", type=Path, required=True, help="folder of the head, e.g. models/pusht-outcome")
    parser.add_argument("--seed", type=int, default=0, help="decides everything random (default %(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads (default %(default)s)")


def _add_outcome_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--scenes", type=int, default=12000, help="images to train on (default %(default)s)")
    parser.add_argument("--imagined-by", metavar="MODEL", help="show it images that this world model imagined, too")
    parser.add_argument("--futures", type=int, default=600, help="with --imagined-by: so many (default %(default)s)")
    _add_training_arguments(parser, 3000)


def _train_outcome(args: argparse.Namespace) -> int:
    import torch

    from lingbot_ros.tasks.pusht.head_training.outcome import train_outcome
    from lingbot_ros.world import World

    _require_at_least(args, iterations=10, scenes=50, futures=5, threads=1)
    torch.set_num_threads(args.threads)
    command = f"lingbot train-head outcome --scenes {args.scenes} --iterations {args.iterations} --seed {args.seed}"
    world = None
    if args.imagined_by is not None:
        command = f"{command} --imagined-by {args.imagined_by} --futures {args.futures}"
        world = World.load(args.imagined_by, threads=args.threads)
    command = f"{command} --out {args.out}"
    train_outcome(args.out, args.scenes, args.iterations, args.seed, command, world=world, futures=args.futures)
    print(f"wrote {args.out}")
    return 0


def _add_inverse_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, help="Push-T data set to train on")
    parser.add_argument("--held-out", type=Path, required=True, help="another to calibrate and measure on")
    _add_training_arguments(parser, 2500)


def _train_inverse(args: argparse.Namespace) -> int:
    import torch

    from lingbot_ros.tasks.pusht.dataset.reader import PushTDataset
    from lingbot_ros.tasks.pusht.head_training.inverse import train_inverse

    _require_at_least(args, iterations=10, threads=1)
    torch.set_num_threads(args.threads)
    command = (
        "lingbot train-head inverse-dynamics --data DATA --held-out HELD "
        f"--iterations {args.iterations} --seed {args.seed} --out {args.out}"
    )
    data, held_out = PushTDataset(args.data), PushTDataset(args.held_out)
    train_inverse(args.out, data, held_out, args.iterations, args.seed, command)
    print(f"wrote {args.out}")
    return 0


def _add_measure_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="name or folder of the head")
    parser.add_argument("--model", default=_WORLD_MODEL, help="the world model that imagines (default %(default)s)")
    parser.add_argument("--episodes", type=int, default=60, help="futures near the goal (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="decides these futures (default %(default)s)")


def _measure_head(args: argparse.Namespace) -> int:
    from lingbot_ros.tasks.pusht.head_training.imagined import measure_imagined
    from lingbot_ros.world import World

    options = f"--model {args.model} --episodes {args.episodes} --seed {args.seed}"
    command = f"lingbot train-head measure {args.name} {options}"
    figures = measure_imagined(args.name, World.load(args.model), args.episodes, args.seed, command)
    for name, value in figures.items():
        print(f"{name}: {value}")
    return 0


def _require_at_least(args: argparse.Namespace, **least: int) -> None:
    from lingbot_ros.errors import InputError

    for field, value in least.items():
        if getattr(args, field) < value:
            raise InputError(f"--{field}", getattr(args, field), f"give {value} or more")


DATASET = Command(
    "pusht",
    "Push-T episodes simulated by gym-pusht, driven by a mixture of good and bad policies",
    _add_dataset_arguments,
    _make_dataset,
    "Simulates Push-T episodes at 10 Hz, 96x96, with actions, poses and contacts. "
    "Repeat the same command to resume an interrupted run.",
)

HEADS = (
    Command(
        "outcome",
        "success, reward and termination from an image of Push-T; needs gym-pusht",
        _add_outcome_arguments,
        _train_outcome,
    ),
    Command(
        "inverse-dynamics",
        "the action between two images of Push-T; needs data sets",
        _add_inverse_arguments,
        _train_inverse,
    ),
    POLICY,
    Command(
        "measure",
        "measure a Push-T head on imagined images and quote that on its card",
        _add_measure_arguments,
        _measure_head,
        aliases=("judge",),
    ),
)
