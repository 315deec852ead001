"""Transforms <-> the graph of frames, and the imagined camera as odometry and transforms."""

import numpy as np
from geometry_msgs.msg import Pose, Transform, TransformStamped, Twist, Vector3
from nav_msgs.msg import Odometry
from numpy.typing import NDArray
from std_msgs.msg import Header

from lingbot_ros.bridge.cameras import matrix_to_pose
from lingbot_ros.bridge.stamps import to_nanoseconds
from lingbot_ros.control.axes import BODY_FROM_OPTICAL
from lingbot_ros.control.frames import Edge
from lingbot_ros.recording.cameras import pose_to_matrix

Matrix = NDArray[np.float64]


def edge_of(message: TransformStamped, *, static: bool) -> Edge:
    """A received transform. Raises InputError unless it is finite with a unit quaternion."""
    position = message.transform.translation
    pose = Pose(orientation=message.transform.rotation)
    pose.position.x, pose.position.y, pose.position.z = position.x, position.y, position.z
    field = f"transform '{message.header.frame_id}' -> '{message.child_frame_id}'"
    stamp_ns = None if static else to_nanoseconds(message.header.stamp)
    return Edge(message.header.frame_id, pose_to_matrix(pose, field), stamp_ns)


def transform_message(header: Header, child: str, matrix: Matrix) -> TransformStamped:
    """T_parent_child [4, 4]; the header's frame is the parent."""
    pose = matrix_to_pose(matrix)
    translation = Vector3(x=pose.position.x, y=pose.position.y, z=pose.position.z)
    return TransformStamped(
        header=header, child_frame_id=child, transform=Transform(translation=translation, rotation=pose.orientation)
    )


def optical_in_body() -> Matrix:
    """T_camera_link_optical [4, 4], the same for every camera."""
    matrix = np.eye(4)
    matrix[:3, :3] = BODY_FROM_OPTICAL
    return matrix


def odometry_message(header: Header, child: str, pose: Matrix, twist: NDArray[np.float64]) -> Odometry:
    """Pose [4, 4] of the child in the header's frame, and its twist [6] in its own axes. Covariances are 0: unknown."""
    message = Odometry(header=header, child_frame_id=child)
    message.pose.pose = matrix_to_pose(pose)
    velocity, turn = twist[:3].tolist(), twist[3:].tolist()
    message.twist.twist = Twist(
        linear=Vector3(x=velocity[0], y=velocity[1], z=velocity[2]), angular=Vector3(x=turn[0], y=turn[1], z=turn[2])
    )
    return message
