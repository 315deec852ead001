"""`lingbot train-head`: train the small readers of outcome and action."""

import argparse
from pathlib import Path

HELP = "train the outcome or the inverse-dynamics head of Push-T"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare one sub-command per head."""
    parser.description = "Trains, calibrates and judges a head in a few minutes on one core, then writes its folder."
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="HEAD")
    outcome = kinds.add_parser("outcome", help="success, reward and termination from a picture; needs gym-pusht")
    outcome.add_argument("--scenes", type=int, default=12000, help="pictures to train on (default %(default)s)")
    outcome.add_argument("--imagined-by", metavar="MODEL", help="show it pictures that this world model imagined, too")
    outcome.add_argument("--futures", type=int, default=600, help="with --imagined-by: so many (default %(default)s)")
    outcome.add_argument("--iterations", type=int, default=3000, help="training steps (default %(default)s)")
    inverse = kinds.add_parser("inverse-dynamics", help="the action between two pictures; needs data sets")
    inverse.add_argument("--data", type=Path, required=True, help="Push-T data set to train on")
    inverse.add_argument("--held-out", type=Path, required=True, help="another to calibrate and judge on")
    inverse.add_argument("--iterations", type=int, default=2500, help="training steps (default %(default)s)")
    for kind in (outcome, inverse):
        kind.add_argument("--out", type=Path, required=True, help="folder of the head, e.g. models/pusht-outcome")
        kind.add_argument("--seed", type=int, default=0, help="decides everything random (default %(default)s)")
        kind.add_argument("--threads", type=int, default=1, help="CPU threads (default %(default)s)")

    judge = kinds.add_parser("judge", help="measure a head on imagined pictures and quote that on its card")
    judge.add_argument("name", help="name or folder of the head")
    judge.add_argument("--model", default="pusht-small", help="the world model that imagines (default %(default)s)")
    judge.add_argument("--episodes", type=int, default=60, help="futures near the goal (default %(default)s)")
    judge.add_argument("--seed", type=int, default=0, help="decides these futures (default %(default)s)")


def run(args: argparse.Namespace) -> int:
    """Train and write. Returns 0."""
    import torch

    from lingbot_ros.errors import InputError

    for field, least in (("iterations", 10), ("scenes", 50), ("futures", 5), ("threads", 1)):
        value = getattr(args, field, least)
        if value < least:
            raise InputError(f"--{field}", value, f"give {least} or more")
    if args.kind == "judge":
        return _judge(args)
    torch.set_num_threads(args.threads)
    if args.kind == "outcome":
        from lingbot_ros.tasks.pusht.head_training.outcome import train_outcome
        from lingbot_ros.world import World

        command = f"lingbot train-head outcome --scenes {args.scenes} --iterations {args.iterations} --seed {args.seed}"
        world = None
        if args.imagined_by is not None:
            command = f"{command} --imagined-by {args.imagined_by} --futures {args.futures}"
            world = World.load(args.imagined_by, threads=args.threads)
        train_outcome(
            args.out,
            args.scenes,
            args.iterations,
            args.seed,
            f"{command} --out {args.out}",
            world=world,
            futures=args.futures,
        )
    else:
        from lingbot_ros.tasks.pusht.dataset.reader import PushTDataset
        from lingbot_ros.tasks.pusht.head_training.inverse import train_inverse

        command = "lingbot train-head inverse-dynamics --data DATA --held-out HELD"
        tail = f"--iterations {args.iterations} --seed {args.seed} --out {args.out}"
        train_inverse(
            args.out,
            PushTDataset(args.data),
            PushTDataset(args.held_out),
            args.iterations,
            args.seed,
            f"{command} {tail}",
        )
    print(f"wrote {args.out}")
    return 0


def _judge(args: argparse.Namespace) -> int:
    from lingbot_ros.tasks.pusht.head_training.imagined import judge_imagined
    from lingbot_ros.world import World

    command = f"lingbot train-head judge {args.name} --model {args.model} --episodes {args.episodes} --seed {args.seed}"
    figures = judge_imagined(args.name, World.load(args.model), args.episodes, args.seed, command)
    for name, value in figures.items():
        print(f"{name}: {value}")
    return 0
