"""`lingbot dataset from-bag` and `from-lerobot`."""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lingbot_ros.cli.dataset.drives import add_drive_arguments, make_drives, require_fitting

if TYPE_CHECKING:
    from lingbot_ros.datasets.plan import PlanOptions
    from lingbot_ros.datasets.writer import ClipSetWriter

_AGAIN = "Repeat the same command to resume an interrupted run."


def add_from_bag(sources: Any) -> None:
    """Declare `from-bag`."""
    parser = sources.add_parser(
        "from-bag",
        help="an image topic and an action or pose topic of a ROS bag (MCAP, sqlite3, ROS 1), read without ROS",
        description="Samples images at a constant rate by the stamps of their messages. The action of a frame is the "
        "newest one at or before its image and leads to the next frame; the pose of a frame is interpolated at the "
        f"stamp of its image. {_AGAIN}",
    )
    parser.add_argument("bag", type=Path, help="folder of the bag, or a single .mcap or .bag file")
    parser.add_argument("--images", required=True, metavar="TOPIC", help="sensor_msgs/Image or CompressedImage")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--poses",
        metavar="TOPIC|tf",
        help="geometry_msgs/PoseStamped or PoseWithCovarianceStamped, nav_msgs/Odometry, or the word tf",
    )
    what.add_argument(
        "--actions",
        metavar="TOPIC",
        help="lingbot_msgs/RobotAction, geometry_msgs/Twist or TwistStamped, sensor_msgs/JointState, "
        "std_msgs/Float64MultiArray, Float32MultiArray, Float64 or Float32",
    )
    parser.add_argument("--rate", type=float, default=10.0, metavar="HZ", help="frames per second (default 10)")
    parser.add_argument("--image-gap", type=float, metavar="S", help="a longer gap between images ends an "
                        "episode (default: 1.5 frame periods)")  # fmt: skip
    parser.add_argument("--action-gap", type=float, default=1.0, metavar="S", help="maximum age of an action at its "
                        "image (default %(default)s)")  # fmt: skip
    parser.add_argument("--action-offset", type=float, default=0.0, metavar="S", help="use the action this long after "
                        "the image, for actions with late stamps (default 0)")  # fmt: skip
    parser.add_argument("--stamps", default="auto", help="header, received, or auto: header if all messages have a "
                        "header stamp (default auto)")  # fmt: skip
    parser.add_argument("--joint-field", default="position", help="field of a JointState: position, velocity or "
                        "effort (default position)")  # fmt: skip
    parser.add_argument("--names", type=_names, default=(), help="names of the components of the action: x,y,...")
    add_drive_arguments(parser)
    _add_common(parser)
    parser.set_defaults(require_fitting=lambda args: require_fitting(parser, args))


def add_from_lerobot(sources: Any) -> None:
    """Declare `from-lerobot`."""
    parser = sources.add_parser(
        "from-lerobot",
        help="a LeRobot data set on this disk, format v2.0, v2.1 or v3.0",
        description=f"Reads one camera and one action of a LeRobot data set. Needs the package pyarrow. {_AGAIN}",
    )
    parser.add_argument("folder", type=Path, help="folder of the data set: meta/, data/, videos/")
    parser.add_argument("--camera", metavar="KEY", help="feature with the images (default: the only image feature)")
    parser.add_argument("--action", default="action", metavar="KEY", help="feature with the action (default action)")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="keep every N-th frame (default 1)")
    _add_common(parser)


def make(args: argparse.Namespace) -> int:
    """Create the missing episodes of the set. Returns 0 when it is complete, 130 when interrupted."""
    return _from_bag(args) if args.source == "from-bag" else _from_lerobot(args)


def _from_bag(args: argparse.Namespace) -> int:
    from lingbot_ros.datasets.bag.from_bag import BagTopics, survey, write_missing
    from lingbot_ros.datasets.bag.open_bag import Bag
    from lingbot_ros.datasets.bag.resample import Timing
    from lingbot_ros.errors import InputError

    if not 0 < args.rate < float("inf"):
        raise InputError("--rate", args.rate, "give a positive number of frames per second")
    args.require_fitting(args)
    if args.poses:
        return make_drives(args)
    image_gap = 1.5 / args.rate if args.image_gap is None else args.image_gap
    timing = Timing(args.rate, image_gap, args.action_gap, args.action_offset)
    topics = BagTopics(args.images, args.actions, args.stamps, args.joint_field, args.names, args.bad_share)
    with Bag(args.bag) as bag:
        clips = survey(bag, topics, timing, _options(args))
        return _write(args, clips, lambda writer: write_missing(bag, clips, topics, writer))


def _from_lerobot(args: argparse.Namespace) -> int:
    from lingbot_ros.datasets.lerobot.from_lerobot import survey, write_missing
    from lingbot_ros.datasets.lerobot.layout import open_set
    from lingbot_ros.datasets.lerobot.tables import require_pyarrow

    require_pyarrow()
    recorded = open_set(args.folder, args.camera, args.action)
    clips = survey(recorded, args.every, _options(args), args.bad_share)
    return _write(args, clips, lambda writer: write_missing(recorded, clips, writer))


def _write(args: argparse.Namespace, clips: Any, write: "Callable[[ClipSetWriter], Iterator[int]]") -> int:
    """Print the plan, write the missing episodes, print the ranges of the actions."""
    from lingbot_ros.datasets.progress import made_all
    from lingbot_ros.datasets.writer import ClipSetWriter

    plan = clips.plan
    print("\n".join(clips.story))
    writer = ClipSetWriter(args.out, plan)
    total, left = len(plan.steps), len(writer.missing())
    print(f"{args.out}: {total} episodes, {len(plan.validation)} of them held out, {plan.frames} frames of "
          f"{plan.height}x{plan.width}, {plan.bytes / 1e6:.1f} MB", flush=True)  # fmt: skip
    if not made_all((1 for _ in write(writer)), total, left, "episode"):
        return 130
    done = writer.finish()
    for name, low, high, outside in zip(plan.action_names, done.low, done.high, done.outside, strict=True):
        note = f", {100 * outside:.2g} % outside, clipped" if outside else ""
        print(f"  {name}: {low:g} to {high:g}{note}")
    for name in done.constant:
        print(f"  {name} is constant: leave it out with --components unless it will vary")
    print("complete")
    return 0


def _add_common(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--out", type=Path, required=True, help="folder of the data set")
    add("--size", type=_size, default=(96, 96), metavar="HxW", help="size of the frames in pixels (default 96x96); "
        "images are stretched to it, as the first image of a session is")  # fmt: skip
    add(
        "--longest",
        type=int,
        default=100,
        metavar="N",
        help="maximum steps per episode; longer ones are cut (default 100)",
    )
    add(
        "--shortest",
        type=int,
        default=16,
        metavar="N",
        help="minimum steps per episode; shorter ones are dropped (default 16)",
    )
    add(
        "--validation",
        type=float,
        default=0.1,
        metavar="SHARE",
        help="share of the episodes that is held out (default 0.1)",
    )
    add("--seed", type=int, default=0, help="seed of the choice of held-out episodes (default 0)")
    add(
        "--components",
        type=_names,
        default=(),
        metavar="NAMES",
        help="components of the action to keep, in order: x,y,...",
    )
    add("--unit", default="", help="unit of the actions, for the model's card")
    add("--low", type=_numbers, metavar="N,N,...", help="lower limit of each component, e.g. --low=-1,0 "
        "(default: by --quantile)")  # fmt: skip
    add("--high", type=_numbers, metavar="N,N,...", help="upper limit of each component, e.g. --high=1,0.5")
    add("--bad-share", type=float, default=0.01, metavar="SHARE", help="share of a topic's messages, or of a data "
        "set's rows, that may be unusable; they are left out and named (default 0.01)")  # fmt: skip
    add("--quantile", type=float, default=0.001, metavar="Q", help="limits of a component: the quantiles Q and 1 - Q "
        "of the data; values outside are clipped (default 0.001)")  # fmt: skip


def _options(args: argparse.Namespace) -> "PlanOptions":
    from lingbot_ros.datasets.plan import PlanOptions

    return PlanOptions(
        size=args.size,
        longest=args.longest,
        shortest=args.shortest,
        validation=args.validation,
        seed=args.seed,
        components=args.components,
        unit=args.unit,
        low=args.low,
        high=args.high,
        quantile=args.quantile,
    )


def _size(text: str) -> tuple[int, int]:
    try:
        height, width = map(int, text.lower().split("x"))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"got {text}; give HEIGHTxWIDTH in pixels, e.g. 96x96") from error
    return height, width


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"got {text}; give numbers like 0,-1.5,2") from error
