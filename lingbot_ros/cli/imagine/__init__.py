"""`lingbot imagine`: start the node with one image, drive it and show what it imagines."""

import argparse
from pathlib import Path

from lingbot_ros.cli.model_arguments import add_model_arguments
from lingbot_ros.cli.page_arguments import add_page_arguments
from lingbot_ros.cli.reach import reach_line

HELP = "start an imagined world on ROS 2 topics and drive it with a demo policy or a camera trajectory"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """All arguments are optional: `lingbot imagine` alone runs the shipped model."""
    parser.add_argument("--duration", type=float, metavar="S", help="seconds to run (default: until Ctrl-C)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write latest.png, imagined.mp4 and summary.json there")
    parser.add_argument(
        "--mode",
        choices=("realtime", "lockstep"),
        help="realtime: paced at the model's rate; lockstep: "
        "one chunk per complete set of controls (default: realtime)",
    )
    parser.add_argument("--policy", choices=("demo", "random", "circle"), help="source of the actions (default: demo, "
                        "the policy of the model's task; random for models without a task)")  # fmt: skip
    parser.add_argument("--seed", type=int, default=0, help="seed of the scene, the model and the policy (default 0)")
    parser.add_argument("--image", type=Path, metavar="FILE", help="first image, JPEG or PNG (default: the model's)")
    parser.add_argument("--prompt", default="", help="description of what happens: a text, or a file that ends in .txt")
    parser.add_argument("--prompts", type=Path, metavar="YAML", help="camera models: prompts that change, a list of "
                        "{frame: N or time_s: S, prompt: TEXT}; an empty prompt is that of --prompt again")  # fmt: skip
    camera = parser.add_argument_group(
        "camera models (with --model NAME, and --image FILE where the model has no example)"
    )
    camera.add_argument("--poses", type=Path, metavar="NPY", help="camera-to-world [frames, 4, 4], OpenCV axes; "
                        "translations are divided by the longest step, as in the released pipeline")  # fmt: skip
    camera.add_argument("--intrinsics", type=Path, metavar="NPY", help="fx, fy, cx, cy [4] or [frames, 4], in pixels "
                        "of a frame of 832x480, or normalised (default: the node's camera.intrinsics)")  # fmt: skip
    camera.add_argument("--keys", metavar="SCRIPT", help="instead of --poses, e.g. w-16,wl-8,none-4: keys and number "
                        "of frames; WASD moves the camera, IJKL turns it")  # fmt: skip
    camera.add_argument("--action-string", metavar="STRING", help="instead of --poses: keys and frames as the "
                        "official code reads them, spread over the film and divided by the longest step")  # fmt: skip
    camera.add_argument("--frames", type=int, metavar="N", help="use the first N poses (default: all); models of one "
                        "clip make a clip of N frames, 4n + 1")  # fmt: skip
    parser.add_argument(
        "--record", action="store_true", help="write an MCAP bag to the folder of the parameter recording.folder"
    )
    parser.add_argument("--large-images", action="store_true", help="use shared memory for raw images above 512 KB; "
                        "subscribers also need config/fastdds_large_images.xml")  # fmt: skip
    parser.add_argument("--namespace", default="", help="ROS namespace of the node and its topics")
    parser.add_argument(
        "--params-file", type=Path, metavar="YAML", help="parameters of the node; command-line options override it"
    )
    add_page_arguments(parser)
    add_model_arguments(parser, "default: the value in --params-file, else the node's default")


def run(args: argparse.Namespace) -> int:
    """Returns 0 after --duration or Ctrl-C, 1 when the node did not start or has ended."""
    # Print before the large imports, so that the user sees something at once.
    print(f"starting the node imagination; stop with Ctrl-C\n{reach_line()}", flush=True)
    if args.view:
        from lingbot_ros.cli.imagine.view import imagine_on_page

        return imagine_on_page(args)
    from lingbot_ros.cli.imagine.demo import imagine

    return imagine(args)
