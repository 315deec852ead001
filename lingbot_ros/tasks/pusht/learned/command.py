"""`lingbot train-head policy`: the learned policy among those of an evaluation."""

import argparse
from pathlib import Path

from lingbot_ros.tasks.task import Command


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pushes", type=int, default=5000, help="that it tries to learn from (default %(default)s)")
    parser.add_argument("--iterations", type=int, default=3000, help="training steps (default %(default)s)")
    parser.add_argument("--starts", type=int, default=50, help="starts it is measured from (default %(default)s)")
    parser.add_argument("--out", type=Path, required=True, help="folder of the policy, e.g. models/pusht-pushes")
    parser.add_argument("--seed", type=int, default=0, help="decides everything random (default %(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads (default %(default)s)")


def _train(args: argparse.Namespace) -> int:
    import torch

    from lingbot_ros.errors import InputError
    from lingbot_ros.tasks.pusht.learned.training import train_policy

    for name, least in {"pushes": 1, "iterations": 10, "starts": 1, "threads": 1, "seed": 0}.items():
        if getattr(args, name) < least:
            raise InputError(f"--{name}", getattr(args, name), f"give {least} or more")
    torch.set_num_threads(args.threads)
    command = f"lingbot train-head policy --pushes {args.pushes} --iterations {args.iterations} --seed {args.seed}"
    train_policy(args.out, args.pushes, args.iterations, args.seed, f"{command} --out {args.out}", starts=args.starts)
    print(f"wrote {args.out}")
    return 0


POLICY = Command(
    "policy",
    "plays Push-T from images alone, by what it learned of pushes; needs gym-pusht",
    _add_arguments,
    _train,
)
