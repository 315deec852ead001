"""Write a bag as a robot with a camera would: `./lingbot python docs/examples/room_bag.py BAG`. Needs no ROS.

A stand-in for your own recording: drives of 4 seconds through a room, with 3 seconds between them. Images at 10 Hz on
/camera/image_raw and their /camera/camera_info, /odom at 30 Hz, and on /tf_static where the camera is on the robot.
Options: `--drives N`, `--depth` (also /camera/depth/image_raw, aligned with the images).
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.recording.writer import BagWriter, Topic, message_types

TYPES = message_types({})
IMAGE = Topic("/camera/image_raw", "sensor_msgs/msg/Image")
DEPTH = Topic("/camera/depth/image_raw", "sensor_msgs/msg/Image")
INFO = Topic("/camera/camera_info", "sensor_msgs/msg/CameraInfo")
ODOMETRY = Topic("/odom", "nav_msgs/msg/Odometry")
FIXED = Topic("/tf_static", "tf2_msgs/msg/TFMessage")
START_NS, DRIVE_S, PAUSE_S = 1_700_000_000 * 10**9, 4.0, 3.0
HEIGHT, WIDTH, FOCAL = 96, 128, 110.0
CAMERA_ON_ROBOT = np.array([0.2, 0.0, 1.2])
OPTICAL_ON_ROBOT = (-0.5, 0.5, -0.5, 0.5)
"""x right, y down, z forward in x forward, y left, z up."""
LOW, HIGH = np.array([-3.0, -2.0, 0.0]), np.array([3.0, 2.0, 2.6])
"""The room in metres; z points up."""


def look(at: NDArray[np.float64], yaw: float) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Colours [H, W, 3] and depth [H, W] in metres of the room, seen by a level camera."""
    right, below = np.meshgrid(np.arange(WIDTH) - (WIDTH - 1) / 2, np.arange(HEIGHT) - (HEIGHT - 1) / 2)
    ahead, left, up = np.ones_like(right), -right / FOCAL, -below / FOCAL
    c, s = np.cos(yaw), np.sin(yaw)
    rays = np.stack((c * ahead - s * left, s * ahead + c * left, up), -1)
    with np.errstate(divide="ignore"):
        to_walls = (np.where(rays > 0, HIGH, LOW) - at) / rays
    depth, wall = to_walls.min(-1), to_walls.argmin(-1)
    point = at + rays * depth[..., None]
    waves = np.sin(3.1 * point + 2 * np.sin(1.7 * point[..., ::-1])) + 0.5 * np.sin(7.3 * point)
    tint = np.array([[0.9, 0.6, 0.5], [0.5, 0.7, 0.9], [0.7, 0.8, 0.6]])[wall]
    shade = 130 + 60 * np.delete(waves, 0, -1).mean(-1) + 25 * waves[..., 0]
    return (np.clip(shade, 20, 250)[..., None] * tint).astype(np.uint8), depth.astype(np.float32)


def drive(number: int, seconds: float) -> tuple[NDArray[np.float64], float]:
    """Where the robot is [3] after so many seconds of a drive, and its yaw."""
    begins = 0.7 * number
    turn = 0.35 * np.sin(seconds + number)
    return np.array(
        [-1.6 + 0.5 * seconds, 0.8 * np.sin(begins) + 0.2 * np.sin(seconds), 0.0]
    ), begins % 1.2 - 0.6 + turn


def main() -> None:
    """Drive, and write every message under the stamp of its moment."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bag", type=Path, help="folder to make")
    parser.add_argument("--drives", type=int, default=6, help="how many (default %(default)s)")
    parser.add_argument("--depth", action="store_true", help="with depth images")
    args = parser.parse_args()
    bag = BagWriter(args.bag, TYPES)

    def write(topic: Topic, stamp_ns: int, message: Any) -> None:
        bag.write(topic, stamp_ns, bytes(TYPES.serialize_cdr(message, topic.kind)))

    turn = make("geometry_msgs/msg/Quaternion", **dict(zip("xyzw", OPTICAL_ON_ROBOT, strict=True)))
    place = make("geometry_msgs/msg/Transform", translation=vector("Vector3", CAMERA_ON_ROBOT), rotation=turn)
    fixed = make("geometry_msgs/msg/TransformStamped", header=header(START_NS, "base_link"),
                 child_frame_id="camera_optical_frame", transform=place)  # fmt: skip
    write(FIXED, START_NS, make(FIXED.kind, transforms=[fixed]))
    for number in range(args.drives):
        begin_ns = START_NS + round(number * (DRIVE_S + PAUSE_S) * 1e9)
        for k in range(round(DRIVE_S * 30) + 1):
            stamp_ns = begin_ns + k * 10**9 // 30
            at, yaw = drive(number, k / 30)
            write(ODOMETRY, stamp_ns, odometry(at, yaw, stamp_ns))
            if k % 3:
                continue
            c, s = np.cos(yaw), np.sin(yaw)
            colour, depth = look(at + np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ CAMERA_ON_ROBOT, yaw)
            write(IMAGE, stamp_ns, image(colour, "rgb8", stamp_ns))
            write(INFO, stamp_ns, camera_info(stamp_ns))
            if args.depth:
                write(DEPTH, stamp_ns, image((1000 * depth).astype(np.uint16), "16UC1", stamp_ns))
    bag.close()
    print(f"{args.bag}: {args.drives} drives of {DRIVE_S:g} s, {bag.messages} messages, {bag.size / 1e6:.1f} MB")


def make(kind: str, **fields: Any) -> Any:
    """A message."""
    return TYPES.types[kind](**fields)


def header(stamp_ns: int, frame: str) -> Any:
    """A std_msgs/Header."""
    stamp = make("builtin_interfaces/msg/Time", sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9)
    return make("std_msgs/msg/Header", stamp=stamp, frame_id=frame)


def vector(kind: str, values: NDArray[np.float64]) -> Any:
    """A Point or Vector3."""
    x, y, z = map(float, values)
    return make(f"geometry_msgs/msg/{kind}", x=x, y=y, z=z)


def image(pixels: NDArray[Any], encoding: str, stamp_ns: int) -> Any:
    """A sensor_msgs/Image."""
    data = np.ascontiguousarray(pixels).view(np.uint8).ravel()
    return make(IMAGE.kind, header=header(stamp_ns, "camera_optical_frame"), height=HEIGHT, width=WIDTH,
                encoding=encoding, is_bigendian=0, step=len(data) // HEIGHT, data=data)  # fmt: skip


def camera_info(stamp_ns: int) -> Any:
    """A pinhole without distortion: what image_rect has, or a simulator."""
    k = np.array([FOCAL, 0, (WIDTH - 1) / 2, 0, FOCAL, (HEIGHT - 1) / 2, 0, 0, 1])
    region = make("sensor_msgs/msg/RegionOfInterest", x_offset=0, y_offset=0, height=0, width=0, do_rectify=False)
    return make(INFO.kind, header=header(stamp_ns, "camera_optical_frame"), height=HEIGHT, width=WIDTH,
                distortion_model="plumb_bob", d=np.zeros(5), k=k, r=np.eye(3).ravel(),
                p=np.insert(k, (3, 6, 9), 0.0), binning_x=0, binning_y=0, roi=region)  # fmt: skip


def odometry(at: NDArray[np.float64], yaw: float, stamp_ns: int) -> Any:
    """Where the robot is; nobody reads the velocity."""
    turn = make("geometry_msgs/msg/Quaternion", x=0.0, y=0.0, z=float(np.sin(yaw / 2)), w=float(np.cos(yaw / 2)))
    pose = make("geometry_msgs/msg/Pose", position=vector("Point", at), orientation=turn)
    still = make(
        "geometry_msgs/msg/Twist", linear=vector("Vector3", np.zeros(3)), angular=vector("Vector3", np.zeros(3))
    )
    unknown = np.zeros(36)
    return make(ODOMETRY.kind, header=header(stamp_ns, "odom"), child_frame_id="base_link",
                pose=make("geometry_msgs/msg/PoseWithCovariance", pose=pose, covariance=unknown),
                twist=make("geometry_msgs/msg/TwistWithCovariance", twist=still, covariance=unknown))  # fmt: skip


if __name__ == "__main__":
    main()
