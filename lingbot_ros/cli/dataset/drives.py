"""`lingbot dataset from-bag --poses`: drives of a camera, for models of scenes."""

import argparse
from typing import Any

from lingbot_ros.errors import InputError

_OF_DRIVES = ("frame", "pose_frame", "camera_offset", "camera_frame", "camera_info", "rectified", "depth", "pose_gap",
              "pose_offset", "fastest")  # fmt: skip
_OF_CLIPS = ("names", "components", "unit", "low", "high", "quantile", "joint_field", "action_gap", "action_offset")


def add_drive_arguments(parser: Any) -> None:
    """Declare what `--poses` needs."""
    group = parser.add_argument_group("a moving camera", "with --poses in place of --actions; for models of scenes")
    add = group.add_argument
    add("--frame", default="odom", help="with --poses tf: the fixed frame (default odom)")
    add("--pose-frame", default="", metavar="FRAME", help="frame whose poses the topic has; /tf_static says where the "
        "camera is on it (default: an Odometry's child frame; for other types the camera's housing)")  # fmt: skip
    add("--camera-offset", type=_offset, metavar="X,Y,Z,ROLL,PITCH,YAW", help="where the camera's housing is in the "
        "frame of the poses, metres and degrees (default: by /tf_static)")  # fmt: skip
    add("--camera-frame", default="", metavar="FRAME", help="optical frame of the images (default: of their headers)")
    add("--camera-info", metavar="TOPIC", help="sensor_msgs/CameraInfo (default: camera_info beside the images)")
    add("--rectified", action="store_true", help="the images are rectified, as image_rect is")
    add("--depth", metavar="TOPIC", help="sensor_msgs/Image in 16UC1 (mm) or 32FC1 (m), aligned with the images")
    add("--pose-gap", type=float, default=0.2, metavar="S", help="interpolate poses over at most this "
        "(default %(default)s)")  # fmt: skip
    add("--pose-offset", type=float, default=0.0, metavar="S", help="use the pose this long after the stamp of the "
        "image, for images with late stamps: a negative number (default 0)")  # fmt: skip
    add("--fastest", type=float, default=5.0, metavar="M_S", help="a camera that is faster jumps, and the drive ends "
        "(default %(default)s)")  # fmt: skip


def require_fitting(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    """Raise InputError for options of clips with --poses, and of drives with --actions."""
    wrong, other = (_OF_CLIPS, "--actions") if args.poses else (_OF_DRIVES, "--poses")
    for name in wrong:
        if getattr(args, name) != parser.get_default(name):
            raise InputError(f"--{name.replace('_', '-')}", getattr(args, name), f"leave it out: it is for {other}")


def make_drives(args: argparse.Namespace) -> int:
    """Create the missing drives of the set. Returns 0 when it is complete, 130 when interrupted."""
    from lingbot_ros.datasets.bag.drives_from_bag import DriveTiming, DriveTopics, survey, write_missing
    from lingbot_ros.datasets.bag.open_bag import Bag
    from lingbot_ros.datasets.bag.poses import PoseOptions
    from lingbot_ros.datasets.drives.writer import DriveSetWriter
    from lingbot_ros.datasets.plan import PlanOptions
    from lingbot_ros.datasets.progress import made_all

    poses = PoseOptions(args.poses, args.frame, args.pose_frame, args.camera_offset)
    topics = DriveTopics(
        images=args.images,
        poses=poses,
        camera_info=args.camera_info,
        depth=args.depth,
        camera_frame=args.camera_frame,
        rectified=args.rectified,
        stamps=args.stamps,
        bad_share=args.bad_share,
    )
    gap = 1.5 / args.rate if args.image_gap is None else args.image_gap
    timing = DriveTiming(args.rate, gap, args.pose_gap, args.pose_offset, args.fastest)
    options = PlanOptions(
        size=args.size, longest=args.longest, shortest=args.shortest, validation=args.validation, seed=args.seed
    )
    with Bag(args.bag) as bag:
        drives = survey(bag, topics, timing, options)
        plan = drives.plan
        print("\n".join(drives.story))
        writer = DriveSetWriter(args.out, plan)
        total, left = len(plan.frames), len(writer.missing())
        print(f"{args.out}: {total} drives, {len(plan.validation)} of them held out, {sum(plan.frames)} frames of "
              f"{plan.height}x{plan.width}, {plan.bytes / 1e6:.1f} MB", flush=True)  # fmt: skip
        if not made_all((1 for _ in write_missing(bag, drives, topics, writer)), total, left, "drive"):
            return 130
    print("complete")
    return 0


def _offset(text: str) -> tuple[float, ...]:
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) != 6:
        raise argparse.ArgumentTypeError(f"got {text}; give x,y,z in metres and roll,pitch,yaw in degrees")
    return numbers
