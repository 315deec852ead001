"""`lingbot sim`: an imagined world with the standard simulator interfaces."""

import argparse
from pathlib import Path

from lingbot_ros.cli.model_arguments import add_model_arguments
from lingbot_ros.cli.page_arguments import add_page_arguments
from lingbot_ros.cli.reach import reach_line
from lingbot_ros.tasks.registry import DEFAULT_SCENE

HELP = "start an imagined world as a simulator, paused, with the standard interfaces and /clock"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """All arguments are optional: `lingbot sim` alone starts the shipped world."""
    parser.add_argument("--world", metavar="FILE", help=f"world to load: a file or a name (default: {DEFAULT_SCENE})")
    parser.add_argument("--duration", type=float, metavar="S", help="seconds to run (default: until Ctrl-C)")
    parser.add_argument(
        "--mode",
        choices=("realtime", "lockstep"),
        default="lockstep",
        help="realtime: paced at the model's rate; lockstep: one chunk per complete set of controls "
        "(default %(default)s)",
    )
    parser.add_argument(
        "--record", action="store_true", help="write an MCAP bag to the folder of the parameter recording.folder"
    )
    parser.add_argument("--namespace", default="", help="ROS namespace of the node, its topics and services")
    parser.add_argument(
        "--params-file", type=Path, metavar="YAML", help="parameters of the node; command-line options override it"
    )
    add_page_arguments(parser)
    add_model_arguments(parser, "default: the value in --params-file, else the node's default")


def run(args: argparse.Namespace) -> int:
    """Returns 0 after --duration, Ctrl-C or a client's request to quit, 1 when the node did not start or failed."""
    # Print before the large imports, so that the user sees something at once.
    print(f"starting the simulator; stop with Ctrl-C\n{reach_line()}", flush=True)
    from lingbot_ros.cli.sim.simulator import simulate

    return simulate(args)
