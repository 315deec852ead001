"""`lingbot train-head`: train the small networks (heads) of a task."""

import argparse

from lingbot_ros.tasks.registry import all_tasks
from lingbot_ros.tasks.task import add_command

HELP = "train a head: a small network that predicts outcome or action from images of a task"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-commands of the heads of all installed tasks."""
    parser.description = "Trains, calibrates and measures a head in a few minutes on one core, and writes its folder."
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="HEAD")
    for task in all_tasks():
        for command in task.head_commands:
            add_command(kinds, command)


def run(args: argparse.Namespace) -> int:
    """Train and write, or measure. Returns 0."""
    return int(args.run_command(args))
