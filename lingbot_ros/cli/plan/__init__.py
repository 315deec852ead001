"""`lingbot plan`: plan with a world model, act in the task's simulator, and count how often the goal is reached."""

import argparse
from pathlib import Path

from lingbot_ros.cli.model_arguments import add_model_arguments
from lingbot_ros.tasks.registry import DEFAULT_MODEL, DEFAULT_TASK

HELP = "plan with a world model and execute the plans in the task's simulator"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare goals, planner and search."""
    parser.description = (
        "Each goal is a state that an expert reaches some steps after the start. The planner sees images only, "
        "unless --read states is given, and acts in the simulator by receding horizon."
    )
    parser.add_argument(
        "--env", default=DEFAULT_TASK, help="task whose simulator executes the plans (default %(default)s)"
    )
    parser.add_argument("--goals", type=int, default=50, help="number of goals (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the goals and of the search (default %(default)s)")
    parser.add_argument(
        "--planner",
        default="world",
        choices=("world", "simulator", "expert", "straight", "random", "still"),
        help="world: plan with the model; simulator: plan with the simulator itself, the ceiling; the others are "
        "baselines that do not plan (default %(default)s)",
    )
    parser.add_argument(
        "--read", choices=("images", "states"), default="images",
        help="states: goal and first pose are known, not read from images (default %(default)s)",
    )  # fmt: skip
    parser.add_argument("--ahead", type=int, default=25, help="frames from start to goal (default %(default)s)")
    parser.add_argument(
        "--matched", action="store_true",
        help="choose goals that are as far from their starts as those of the task's published benchmark",
    )  # fmt: skip
    parser.add_argument("--horizon", type=int, default=25, help="frames of one plan (default %(default)s)")
    parser.add_argument("--execute", type=int, default=25, help="frames until the next plan (default %(default)s)")
    parser.add_argument("--budget", type=int, default=50, help="frames in all (default %(default)s)")
    parser.add_argument(
        "--solver", choices=("icem", "cem", "mppi", "rank"), default="icem", help="search method (default %(default)s)"
    )
    parser.add_argument("--samples", type=int, default=200, help="candidates per iteration (default %(default)s)")
    parser.add_argument("--iterations", type=int, default=8, help="iterations of the search (default %(default)s)")
    parser.add_argument("--deadline", type=float, metavar="S", help="seconds per plan; the best so far counts")
    parser.add_argument(
        "--trust-penalty", type=float, default=0.0, metavar="C",
        help="cost of a future that is not to be believed at all, in units of the task's cost (default %(default)s)",
    )  # fmt: skip
    parser.add_argument("--film", type=int, default=6, metavar="N", help="film the first N goals (default %(default)s)")
    parser.add_argument("--out", type=Path, help="folder for planning.json and planning.mp4")
    add_model_arguments(parser, f"default: {DEFAULT_MODEL}")


def run(args: argparse.Namespace) -> int:
    """Returns 0 when all goals were tried."""
    from lingbot_ros.cli.plan.experiment import run_experiment

    return run_experiment(args)
