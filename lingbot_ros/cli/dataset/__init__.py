"""`lingbot dataset`: create the data that models are trained on."""

import argparse
import signal

from lingbot_ros.cli.dataset import clips
from lingbot_ros.tasks.registry import all_tasks
from lingbot_ros.tasks.task import add_command

HELP = "make a training data set from a simulator or your own recordings"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sources of a data set, one sub-command each."""
    sources = parser.add_subparsers(dest="source", required=True, metavar="SOURCE")
    for task in all_tasks():
        if task.dataset_command is not None:
            add_command(sources, task.dataset_command)
    clips.add_from_bag(sources)
    clips.add_from_lerobot(sources)


def run(args: argparse.Namespace) -> int:
    """Create the missing episodes of the set. Returns 0 when it is complete, 130 when interrupted."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    return args.run_command(args) if "run_command" in args else clips.make(args)
