"""Bags of a robot whose camera drives through the box room, with its poses in every way that bags have them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.recording.writer import Topic
from test.support.bags import Said, header, make, raw_image
from test.support.box_room import LENS, look, pose_at

IMAGE = Topic("/cam/image_raw", "sensor_msgs/msg/Image")
DEPTH = Topic("/cam/depth", "sensor_msgs/msg/Image")
INFO = Topic("/cam/camera_info", "sensor_msgs/msg/CameraInfo")
POSE = Topic("/pose", "geometry_msgs/msg/PoseStamped")
ODOMETRY = Topic("/odom", "nav_msgs/msg/Odometry")
TF, TF_STATIC = Topic("/tf", "tf2_msgs/msg/TFMessage"), Topic("/tf_static", "tf2_msgs/msg/TFMessage")

BODY_FROM_OPTICAL = np.array([[0.0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 0, 1]])
HOUSING_ON_BASE = np.array([[0.0, -1, 0, 0.2], [1, 0, 0, 0.1], [0, 0, 1, 0.5], [0, 0, 0, 1]])
"""The camera looks to the robot's left."""
OFFSET = (0.2, 0.1, 0.5, 0.0, 0.0, 90.0)
FRAMES = 40


def camera_at(ms: float) -> NDArray[np.float64]:
    """Camera-to-world in the box room's axes: 0.5 m/s to the right and turning, after so many milliseconds."""
    return pose_at(-1.0 + 0.0005 * ms, 0.0, 0.0001 * ms)


def housing_at(ms: float) -> NDArray[np.float64]:
    """The same as a pose of camera_link in a world whose z points up."""
    return BODY_FROM_OPTICAL @ camera_at(ms) @ BODY_FROM_OPTICAL.T


def base_at(ms: float) -> NDArray[np.float64]:
    return housing_at(ms) @ np.linalg.inv(HOUSING_ON_BASE)


def pictures(first: int = 0, depth: str = "", every_ms: float = 100) -> list[Said]:
    """Images with their CameraInfo; depth: the encoding of depth images, or none."""
    said = []
    for k in range(first, FRAMES):
        ms = every_ms * k
        colour, metres = look(camera_at(ms))
        message = raw_image(colour, ms)
        message.header.frame_id = "cam_optical"
        said += [Said(IMAGE, ms, message), Said(INFO, ms, camera_info(ms))]
        if depth:
            metres[:, :8] = 0  # what the sensor does not see
            numbers = (1000 * metres).astype(np.uint16) if depth == "16UC1" else metres
            said.append(Said(DEPTH, ms, depth_image(numbers, depth, ms)))
    return said


def depth_image(numbers: NDArray[Any], encoding: str, ms: float) -> Any:
    height, width = numbers.shape
    data = np.ascontiguousarray(numbers).view(np.uint8).ravel()
    return make(DEPTH.kind, header=header(ms), height=height, width=width, encoding=encoding, is_bigendian=0,
                step=len(data) // height, data=data)  # fmt: skip


def camera_info(ms: float, distortion: float = 0.0) -> Any:
    """ROS has the centre of the upper left pixel at (0, 0)."""
    k = np.array([LENS.fx, 0, LENS.cx - 0.5, 0, LENS.fy, LENS.cy - 0.5, 0, 0, 1])
    region = make("sensor_msgs/msg/RegionOfInterest", x_offset=0, y_offset=0, height=0, width=0, do_rectify=False)
    return make(INFO.kind, header=header(ms), height=LENS.height, width=LENS.width, distortion_model="plumb_bob",
                d=np.array([distortion, 0.0, 0, 0, 0]), k=k, r=np.eye(3).ravel(), p=np.insert(k, (3, 6, 9), 0.0),
                binning_x=0, binning_y=0, roi=region)  # fmt: skip


def pose_said(matrix: NDArray[np.float64], ms: float) -> Said:
    said = header(ms)
    said.frame_id = "map"
    return Said(POSE, ms, make(POSE.kind, header=said, pose=pose_message(matrix)))


def odometry_said(matrix: NDArray[np.float64], ms: float) -> Said:
    said, zero = header(ms), make("geometry_msgs/msg/Vector3", x=0.0, y=0.0, z=0.0)
    said.frame_id = "odom"
    message = make(
        ODOMETRY.kind, header=said, child_frame_id="base_link",
        pose=make("geometry_msgs/msg/PoseWithCovariance", pose=pose_message(matrix), covariance=np.zeros(36)),
        twist=make("geometry_msgs/msg/TwistWithCovariance", covariance=np.zeros(36),
                   twist=make("geometry_msgs/msg/Twist", linear=zero, angular=zero)),
    )  # fmt: skip
    return Said(ODOMETRY, ms, message)


def transform_said(topic: Topic, parent: str, child: str, matrix: NDArray[np.float64], ms: float) -> Said:
    said, pose = header(ms), pose_message(matrix)
    said.frame_id = parent
    x, y, z = matrix[:3, 3].tolist()
    transform = make("geometry_msgs/msg/Transform", translation=make("geometry_msgs/msg/Vector3", x=x, y=y, z=z),
                     rotation=pose.orientation)  # fmt: skip
    one = make("geometry_msgs/msg/TransformStamped", header=said, child_frame_id=child, transform=transform)
    return Said(topic, ms, make(topic.kind, transforms=[one]))


def camera_on_base_said() -> Said:
    return transform_said(TF_STATIC, "base_link", "cam_optical", HOUSING_ON_BASE @ BODY_FROM_OPTICAL, 0)


def pose_message(matrix: NDArray[np.float64]) -> Any:
    x, y, z, w = quaternion(matrix[:3, :3])
    px, py, pz = matrix[:3, 3].tolist()
    return make("geometry_msgs/msg/Pose", position=make("geometry_msgs/msg/Point", x=px, y=py, z=pz),
                orientation=make("geometry_msgs/msg/Quaternion", x=x, y=y, z=z, w=w))  # fmt: skip


def quaternion(rotation: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """x, y, z, w: the eigenvector of the largest eigenvalue (Bar-Itzhack 2000), which no code here uses otherwise."""
    r = rotation
    matrix = np.array([
        [r[0, 0] - r[1, 1] - r[2, 2], r[1, 0] + r[0, 1], r[2, 0] + r[0, 2], r[2, 1] - r[1, 2]],
        [0, r[1, 1] - r[0, 0] - r[2, 2], r[2, 1] + r[1, 2], r[0, 2] - r[2, 0]],
        [0, 0, r[2, 2] - r[0, 0] - r[1, 1], r[1, 0] - r[0, 1]],
        [0, 0, 0, r[0, 0] + r[1, 1] + r[2, 2]],
    ])  # fmt: skip
    _, vectors = np.linalg.eigh(matrix / 3, UPLO="U")
    x, y, z, w = vectors[:, -1].tolist()
    return x, y, z, w
