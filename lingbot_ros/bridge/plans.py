"""Path, JointState and JointTrajectory -> setpoints at frame rate."""

from collections.abc import Mapping

import numpy as np
from builtin_interfaces.msg import Duration
from nav_msgs.msg import Path
from numpy.typing import NDArray
from sensor_msgs.msg import JointState
from trajectory_msgs.msg import JointTrajectory

from lingbot_ros.bridge.cameras import pose_to_camera_to_world
from lingbot_ros.bridge.stamps import to_nanoseconds
from lingbot_ros.control.frames import FrameGraph, plain_frame
from lingbot_ros.control.mappings import JointMap
from lingbot_ros.control.poses import Poses
from lingbot_ros.control.trajectories import resample_poses, resample_values
from lingbot_ros.errors import InputError

_NANOSECONDS = 1_000_000_000


def path_poses(path: Path, frames: FrameGraph, map_frame: str, fps: float) -> Poses:
    """Poses of camera_link along the path -> camera-to-world [n, 4, 4] in the map, one per frame.

    The path's own frame counts; poses name none or the same. A path that names none takes that of its poses. Raises
    InputError naming the pose and its fault.
    """
    if not path.poses:
        raise InputError("path.poses", "none", "give at least one pose")
    named = [path.header.frame_id, *(pose.header.frame_id for pose in path.poses)]
    source = next((plain_frame(frame) for frame in named if frame), map_frame)
    to_map = frames.lookup(map_frame, source, "path.header.frame_id", to_nanoseconds(path.header.stamp))
    for index, pose in enumerate(path.poses):
        if pose.header.frame_id and plain_frame(pose.header.frame_id) != source:
            fix = f"give all poses of a path in one frame, as '{source}'"
            raise InputError(f"path.poses[{index}].header.frame_id", f"'{pose.header.frame_id}'", fix)
    stamps = [to_nanoseconds(pose.header.stamp) for pose in path.poses]
    times_s = [(stamp - stamps[0]) / _NANOSECONDS for stamp in stamps]
    poses = np.stack(
        [to_map @ pose_to_camera_to_world(pose.pose, f"path.poses[{i}].pose") for i, pose in enumerate(path.poses)]
    )
    return resample_poses(poses, times_s, fps, "path.poses")


def joint_values(message: JointState) -> Mapping[str, float]:
    """Positions by name. Raises InputError when there are not as many as names."""
    return _by_name(message.name, message.position, "joint_states.position")


def trajectory_actions(message: JointTrajectory, joints: JointMap, fps: float) -> NDArray[np.float64]:
    """Actions [n, dim], one per frame. Raises InputError naming the point, the joint and its fault."""
    if not message.points:
        raise InputError("joint_trajectory.points", "none", "give at least one point")
    actions, times_s = [], []
    for index, point in enumerate(message.points):
        field = f"joint_trajectory.points[{index}]"
        values = _by_name(message.joint_names, point.positions, f"{field}.positions")
        actions.append(joints.action(values, field))
        times_s.append(_seconds(point.time_from_start))
    if times_s[0] < 0:
        raise InputError("joint_trajectory.points[0].time_from_start", times_s[0], "give seconds of 0 or more")
    return resample_values(np.stack(actions), times_s, fps, "joint_trajectory.points")


def _by_name(names: list[str], values: list[float], field: str) -> Mapping[str, float]:
    if len(names) != len(values):
        raise InputError(field, f"{len(values)} numbers", f"give one per joint, {len(names)}")
    return dict(zip(names, values, strict=True))


def _seconds(duration: Duration) -> float:
    return float(duration.sec + duration.nanosec / _NANOSECONDS)
