"""Camera poses as messages."""

import numpy as np
from geometry_msgs.msg import PoseStamped
from numpy.typing import NDArray
from std_msgs.msg import Header

from lingbot_ros.bridge.cameras import camera_to_world_to_pose


def pose_messages(path: NDArray[np.float64], frame_id: str = "map") -> list[PoseStamped]:
    """Camera-to-world matrices [n, 4, 4] as poses of camera_link."""
    return [PoseStamped(header=Header(frame_id=frame_id), pose=camera_to_world_to_pose(pose)) for pose in path]
