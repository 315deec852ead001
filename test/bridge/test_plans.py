"""Paths in the frame that they name, wherever they name it."""

import numpy as np
import pytest
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Path
from std_msgs.msg import Header

from lingbot_ros.bridge.plans import path_poses
from lingbot_ros.bridge.velocities import twist_values
from lingbot_ros.control.frames import Edge, FrameGraph
from lingbot_ros.errors import InputError


def graph() -> FrameGraph:
    """Odom stands 5 m ahead in the map."""
    frames, moved = FrameGraph(1.0), np.eye(4)
    moved[0, 3] = 5.0
    frames.put("odom", Edge("map", moved, None))
    return frames


def path(own: str, *of_poses: str) -> Path:
    poses = []
    for number, frame in enumerate(of_poses):
        pose = PoseStamped(header=Header(frame_id=frame))
        pose.header.stamp.sec, pose.pose.position.x = number + 1, float(number)
        poses.append(pose)
    return Path(header=Header(frame_id=own), poses=poses)


@pytest.mark.parametrize(
    ("message", "start"),
    [
        (path("odom", "", ""), 5.0),
        (path("", "odom", "odom"), 5.0),
        (path("", "", "/odom"), 5.0),
        (path("/odom", "odom", "/odom"), 5.0),
        (path("", "", ""), 0.0),
        (path("/map", "", "map"), 0.0),
    ],
)
def test_a_path_is_in_the_frame_that_it_or_its_poses_name(message: Path, start: float) -> None:
    assert path_poses(message, graph(), "map", 10.0)[-1][0, 3] == start + 1.0


@pytest.mark.parametrize("message", [path("odom", "", "map"), path("", "map", "odom"), path("nowhere", "")])
def test_a_path_in_two_frames_is_refused(message: Path) -> None:
    with pytest.raises(InputError, match="path"):
        path_poses(message, graph(), "map", 10.0)


@pytest.mark.parametrize("value", [1e308, -1001.0, float("nan"), float("inf")])
def test_velocities_that_nothing_drives_at_are_refused(value: float) -> None:
    from geometry_msgs.msg import Twist

    message = Twist()
    message.linear.x = value
    with pytest.raises(InputError, match=r"cmd_vel.linear.x: got .*from -1000 to 1000"):
        twist_values(message, "cmd_vel")
