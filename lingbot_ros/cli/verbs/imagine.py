"""`lingbot imagine`: bring up the node, show it one picture, drive it, watch."""

import argparse
from pathlib import Path

HELP = "start an imagined world on ROS 2 topics and drive it with a demo policy"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Everything has a default: `lingbot imagine` alone shows the shipped model at work."""
    parser.add_argument("--model", help="model name, or a folder with a card.yaml (default: pusht-small)")
    parser.add_argument("--duration", type=float, metavar="S", help="seconds to run (default: until Ctrl-C)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write latest.png, imagined.mp4 and summary.json there")
    parser.add_argument("--mode", choices=("realtime", "lockstep"), help="how time passes (default: realtime)")
    parser.add_argument("--policy", default="demo", choices=("demo", "random", "circle"), help="default %(default)s")
    parser.add_argument("--seed", type=int, default=0, help="of the scene, the model and the policy (default 0)")
    parser.add_argument("--engine", help="what executes the model (default: auto)")
    parser.add_argument("--device", help="auto, cpu, cuda or cuda:N (default: auto)")
    parser.add_argument("--threads", type=int, help="CPU threads of the engine (default: by the machine)")
    parser.add_argument("--namespace", default="", help="ROS namespace of the node and its topics")
    parser.add_argument("--params-file", type=Path, metavar="YAML", help="parameters of the node; options win over it")


def run(args: argparse.Namespace) -> int:
    """0 after --duration or Ctrl-C; 1 when the node could not be brought up or ended."""
    # Said before anything large is imported: the first second belongs to the one who waits.
    print("bringing up the node imagination; Ctrl-C ends it", flush=True)
    from lingbot_ros.cli.imagining import imagine

    return imagine(args)
