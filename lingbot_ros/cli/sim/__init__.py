"""`lingbot sim`: an imagined world behind the standard simulator interfaces."""

import argparse
from pathlib import Path

from lingbot_ros.cli.model_arguments import add_model_arguments
from lingbot_ros.tasks.registry import DEFAULT_SCENE

HELP = "start an imagined world as a simulator: standard interfaces, /clock, paused"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Everything has a default: `lingbot sim` alone offers the shipped world."""
    parser.add_argument("--world", metavar="FILE", help=f"world to load: a file or a name (default: {DEFAULT_SCENE})")
    parser.add_argument("--duration", type=float, metavar="S", help="seconds to run (default: until Ctrl-C)")
    parser.add_argument("--mode", choices=("realtime", "lockstep"), default="lockstep", help="default %(default)s")
    parser.add_argument("--record", action="store_true", help="write an MCAP bag; see recording.folder")
    parser.add_argument("--namespace", default="", help="ROS namespace of the node, its topics and services")
    parser.add_argument("--params-file", type=Path, metavar="YAML", help="parameters of the node; options win over it")
    add_model_arguments(parser, "what is not given is that of --params-file, or the node's default")


def run(args: argparse.Namespace) -> int:
    """0 after --duration, Ctrl-C or when a client asked it to quit; 1 when it could not be brought up or failed."""
    # Said before anything large is imported: the first second belongs to the one who waits.
    print("bringing up the simulator; Ctrl-C ends it", flush=True)
    from lingbot_ros.cli.sim.simulator import simulate

    return simulate(args)
