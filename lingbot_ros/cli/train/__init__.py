"""`lingbot train`: train a small model, or resume its training."""

import argparse

from lingbot_ros.cli.train.run_arguments import add_run_arguments

HELP = "train a small world model; repeat the command to resume"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the run's files and limits."""
    parser.description = (
        "Trains on a data set made by `lingbot dataset`. Ctrl-C saves and stops; the same command resumes. Follow the "
        "run with `tensorboard --logdir RUN/log` and the images in RUN/validation. When the gate of the configuration "
        "stops a run that does not learn, the exit code is 3."
    )
    add_run_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Train to the limits, then export if asked. Returns 0, or 3 when the gate stopped the run."""
    from lingbot_ros.cli.train.clip_layer_run import learn_and_export_clips
    from lingbot_ros.cli.train.layer_run import layer_config, learn_and_export
    from lingbot_ros.cli.train.scene_run import train_and_export_scene
    from lingbot_ros.cli.train.training_run import prepare, train_and_export
    from lingbot_ros.tasks.data import task_of_data
    from lingbot_ros.training.scene.config import SceneTrainConfig
    from lingbot_ros.training.train import Trainer

    if scene := SceneTrainConfig.load(args.config):
        return train_and_export_scene(args, scene)
    if found := layer_config(args.config):
        layers, given = found
        is_own = task_of_data(args.data) is None
        return learn_and_export_clips(args, layers, given) if is_own else learn_and_export(args, layers)
    config, data, execution = prepare(args)
    trainer = Trainer(
        config, data.source, data.background, args.run, execution, parts=data.parts, control=data.control, fps=data.fps
    )
    return train_and_export(args, trainer, data)
