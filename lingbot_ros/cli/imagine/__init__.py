"""`lingbot imagine`: bring up the node, show it one image, drive it, watch."""

import argparse
from pathlib import Path

from lingbot_ros.cli.model_arguments import add_model_arguments

HELP = "start an imagined world on ROS 2 topics and drive it with a demo policy or along a camera trajectory"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Everything has a default: `lingbot imagine` alone shows the shipped model at work."""
    parser.add_argument("--duration", type=float, metavar="S", help="seconds to run (default: until Ctrl-C)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write latest.png, imagined.mp4 and summary.json there")
    parser.add_argument("--mode", choices=("realtime", "lockstep"), help="how time passes (default: realtime)")
    parser.add_argument("--policy", choices=("demo", "random", "circle"), help="what gives the actions (default: demo, "
                        "which plays the model's task; random where nothing does)")  # fmt: skip
    parser.add_argument("--seed", type=int, default=0, help="of the scene, the model and the policy (default 0)")
    parser.add_argument("--image", type=Path, metavar="FILE", help="first image, JPEG or PNG (default: by the model)")
    parser.add_argument("--prompt", default="", help="what happens: a text, or a file that ends in .txt")
    camera = parser.add_argument_group("models that a camera drives (with --model NAME --image FILE)")
    camera.add_argument("--poses", type=Path, metavar="NPY", help="camera-to-world [frames, 4, 4], OpenCV axes; "
                        "translations count relative to the longest step, as in the released pipeline")  # fmt: skip
    camera.add_argument("--intrinsics", type=Path, metavar="NPY", help="fx, fy, cx, cy [4] or [frames, 4], in pixels "
                        "of a frame of 832x480 or normalised (default: the node's camera.intrinsics)")  # fmt: skip
    camera.add_argument("--keys", metavar="SCRIPT", help="instead of --poses: e.g. w-16,wl-8,none-4; WASD moves, "
                        "IJKL looks, each for a number of frames")  # fmt: skip
    camera.add_argument("--frames", type=int, metavar="N", help="use the first N poses (default: all)")
    parser.add_argument("--record", action="store_true", help="write an MCAP bag; see recording.folder")
    parser.add_argument("--large-images", action="store_true", help="shared memory for raw frames above 512 KB; "
                        "subscribers need config/fastdds_large_images.xml, too")  # fmt: skip
    parser.add_argument("--namespace", default="", help="ROS namespace of the node and its topics")
    parser.add_argument("--params-file", type=Path, metavar="YAML", help="parameters of the node; options win over it")
    add_model_arguments(parser, "what is not given is that of --params-file, or the node's default")


def run(args: argparse.Namespace) -> int:
    """0 after --duration or Ctrl-C; 1 when the node could not be brought up or ended."""
    # Said before anything large is imported: the first second belongs to the one who waits.
    print("bringing up the node imagination; Ctrl-C ends it", flush=True)
    from lingbot_ros.cli.imagine.demo import imagine

    return imagine(args)
