"""`lingbot train`: train a small model, or go on training it."""

import argparse
from pathlib import Path

HELP = "train a small world model; run again to go on"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the run's files and limits."""
    parser.description = (
        "Trains on a data set made by `lingbot dataset`. Ctrl-C saves and stops; the same command goes on from there. "
        "Watch it with `tensorboard --logdir RUN/log`."
    )
    parser.add_argument("--config", type=Path, required=True, help="training YAML, e.g. models/pusht-small/train.yaml")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data set")
    parser.add_argument("--run", type=Path, required=True, help="folder of this run: checkpoint and logs")
    parser.add_argument("--iterations", type=int, default=3000, help="of the complete run (default %(default)s)")
    parser.add_argument("--minutes", type=float, help="stop this sitting after so many minutes")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default %(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads (default %(default)s)")
    parser.add_argument("--export", type=Path, metavar="MODEL", help="write the averaged weights into this folder; "
                        "on your own data with a card, where there is none")  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Train to the limits, then export if asked. Returns 0."""
    import torch

    from lingbot_ros.training.config import TrainConfig
    from lingbot_ros.training.export import export_model
    from lingbot_ros.training.train import Limits, Trainer
    from lingbot_ros.training.training_data import open_training_data

    torch.set_num_threads(args.threads)
    config = TrainConfig.load(args.config)
    data = open_training_data(args.data, config)
    if args.export:
        data.check_export(args.export)
    trainer = Trainer(config, data.source, data.background, args.run, args.device)
    trainer.train(Limits(args.iterations, args.minutes))
    if args.export:
        data.begin_export(args.export)
        export_model(trainer.average, config, args.export)
        print(f"wrote the averaged weights of iteration {trainer.iteration} to {args.export}")
    return 0
