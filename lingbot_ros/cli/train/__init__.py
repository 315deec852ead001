"""`lingbot train`: train a small model, or go on training it."""

import argparse

from lingbot_ros.cli.train.run_arguments import add_run_arguments

HELP = "train a small world model; run again to go on"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the run's files and limits."""
    parser.description = (
        "Trains on a data set made by `lingbot dataset`. Ctrl-C saves and stops; the same command goes on from there. "
        "Watch it with `tensorboard --logdir RUN/log` and by the images in RUN/validation. A run that the "
        "configuration's gate stops, because the model does not learn what matters, ends with exit code 3."
    )
    add_run_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Train to the limits, then export if asked. Returns 0, or 3 when the gate stopped the run."""
    from lingbot_ros.cli.train.layer_run import layer_config, learn_and_export
    from lingbot_ros.cli.train.training_run import prepare, train_and_export
    from lingbot_ros.training.train import Trainer

    if layers := layer_config(args.config):
        return learn_and_export(args, layers)
    config, data, execution = prepare(args)
    trainer = Trainer(config, data.source, data.background, args.run, execution, parts=data.parts)
    return train_and_export(args, trainer, data)
