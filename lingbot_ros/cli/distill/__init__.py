"""`lingbot distill`: train a small one-step model on the predictions of another model."""

import argparse

from lingbot_ros.cli.train.run_arguments import add_run_arguments

HELP = "train a smaller or faster world model on the predictions of another model"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the teacher and the arguments of `train`."""
    parser.description = (
        "Trains a one-step student as `lingbot train` does, but compares its frames with those that the teacher "
        "predicts from the same past and actions with all its sampling steps. `distill: {teacher_share: 0.7}` in the "
        "student's configuration is the share of this loss; the rest compares with the ground truth."
    )
    parser.add_argument("teacher", help="name or folder of the model to learn from")
    add_run_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Train to the limits, then export if asked. Returns 0, or 3 when the gate stopped the run."""
    from lingbot_ros.cli.train.training_run import prepare, train_and_export
    from lingbot_ros.training.teacher import Teacher
    from lingbot_ros.training.train import Trainer
    from lingbot_ros.world import World

    config, data, execution = prepare(args)
    world = World.load(args.teacher, device=execution.device, threads=args.threads)
    teacher = Teacher(world, config, data)
    trainer = Trainer(
        config, data.source, data.background, args.run, execution, teacher, data.parts, data.control, data.fps
    )
    return train_and_export(args, trainer, data)
