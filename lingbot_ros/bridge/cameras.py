"""Camera intrinsics <-> sensor_msgs/CameraInfo (REP-104) and camera poses <-> model space (REP-103)."""

import numpy as np
from geometry_msgs.msg import Point, Pose, Quaternion
from numpy.typing import NDArray
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Header

from lingbot_ros.control.axes import BODY_FROM_OPTICAL
from lingbot_ros.recording.cameras import pose_to_matrix


def camera_info(intrinsics: NDArray[np.float64] | None, height: int, width: int, header: Header) -> CameraInfo:
    """An ideal pinhole of intrinsics [3, 3] in pixels of this image; None gives `k[0] == 0`: uncalibrated."""
    message = CameraInfo(header=header, height=height, width=width)
    if intrinsics is None:
        return message
    message.distortion_model = "plumb_bob"
    message.d = [0.0] * 5
    message.k = intrinsics.astype(np.float64).ravel()
    message.r = np.eye(3).ravel()
    message.p = np.hstack([intrinsics, np.zeros((3, 1))]).astype(np.float64).ravel()
    return message


def pose_to_camera_to_world(pose: Pose, field: str) -> NDArray[np.float64]:
    """Pose of camera_link (x forward, y left, z up) -> camera-to-world [4, 4], optical axes in the same fixed frame."""
    matrix = pose_to_matrix(pose, field)
    matrix[:3, :3] = matrix[:3, :3] @ BODY_FROM_OPTICAL
    return matrix


def camera_to_world_to_pose(camera_to_world: NDArray[np.float64]) -> Pose:
    """The inverse of `pose_to_camera_to_world`."""
    matrix = camera_to_world.copy()
    matrix[:3, :3] = matrix[:3, :3] @ BODY_FROM_OPTICAL.T
    return matrix_to_pose(matrix)


def matrix_to_pose(matrix: NDArray[np.float64]) -> Pose:
    """The inverse of `pose_to_matrix`."""
    x, y, z, w = _quaternion(matrix[:3, :3])
    position = matrix[:3, 3]
    return Pose(
        position=Point(x=float(position[0]), y=float(position[1]), z=float(position[2])),
        orientation=Quaternion(x=x, y=y, z=z, w=w),
    )


def _quaternion(rotation: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """Unit quaternion (x, y, z, w), w >= 0, from the largest of its squared components, so that nothing cancels."""
    r = rotation
    squares = np.array([1 + r[0, 0] - r[1, 1] - r[2, 2], 1 - r[0, 0] + r[1, 1] - r[2, 2],
                        1 - r[0, 0] - r[1, 1] + r[2, 2], 1 + r[0, 0] + r[1, 1] + r[2, 2]])  # fmt: skip
    rows = np.array([
        [squares[0], r[0, 1] + r[1, 0], r[0, 2] + r[2, 0], r[2, 1] - r[1, 2]],
        [r[0, 1] + r[1, 0], squares[1], r[1, 2] + r[2, 1], r[0, 2] - r[2, 0]],
        [r[0, 2] + r[2, 0], r[1, 2] + r[2, 1], squares[2], r[1, 0] - r[0, 1]],
        [r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1], squares[3]],
    ])  # fmt: skip
    quaternion = rows[int(np.argmax(squares))]
    quaternion = quaternion / np.linalg.norm(quaternion)
    x, y, z, w = (quaternion if quaternion[3] >= 0 else -quaternion).tolist()
    return x, y, z, w
