"""`lingbot calibrate`: fit `camera.unit_step` to a drive over a known distance."""

import argparse
from pathlib import Path

from lingbot_ros.cli.model_arguments import add_model_arguments

HELP = "fit camera.unit_step, so that an imagined camera goes as far as it is sent"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the drive and the model."""
    parser.add_argument("clip", type=Path, help="images of a camera that drives straight on: a folder of JPEG or PNG "
                        "files in the order of their names, or a bag")  # fmt: skip
    parser.add_argument("--distance", type=float, required=True, metavar="M", help="how far it drives in all, m")
    parser.add_argument("--images", metavar="TOPIC", help="bags: topic of the images")
    parser.add_argument("--intrinsics", type=Path, metavar="NPY", help="fx, fy, cx, cy [4] in pixels of a frame of "
                        "832x480, or normalised (default: the released demos')")  # fmt: skip
    parser.add_argument("--unit-step", type=float, metavar="M", help="the unit step to start from (default 0.2)")
    parser.add_argument("--prompt", default="", help="what the clip shows: a text, or a file that ends in .txt")
    parser.add_argument("--seed", type=int, default=0, help="seed of the imagined clip (default 0)")
    add_model_arguments(parser, "default: the card's")


def run(args: argparse.Namespace) -> int:
    """Print the fitted unit step, and how far the imagined camera went with the old and the new one."""
    from lingbot_ros.cli.calibrate.drive import read_drive
    from lingbot_ros.cli.model_arguments import load_options
    from lingbot_ros.control.camera import UNIT_STEP
    from lingbot_ros.errors import InputError
    from lingbot_ros.evaluate.unit_step import fit_unit_step
    from lingbot_ros.world import World

    if args.model is None:
        raise InputError("--model", "nothing", "name a camera model")
    drive = read_drive(args)
    fit = fit_unit_step(World.load(options=load_options(args, {})), drive, args.unit_step or UNIT_STEP, args.seed)
    print(f"camera.unit_step: {fit.unit_step:.4g}")
    for name, ratio in (("before", fit.before), ("with it", fit.after)):
        print(f"{name}: {ratio.ratio:.3f} m imagined per m driven ({ratio.points} points, +-{ratio.spread:.0%})")
    return 0
