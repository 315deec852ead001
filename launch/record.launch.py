"""Start the node `imagination` and record it: `ros2 launch lingbot_ros record.launch.py folder:=DIR`."""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, SetLaunchConfiguration
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.substitutions import FindPackageShare

ARGUMENTS = [
    DeclareLaunchArgument(
        "folder", default_value="", description="folder of the bags; empty = ~/.ros/lingbot_ros/bags"
    ),
    DeclareLaunchArgument(
        "compressed",
        default_value="false",
        choices=["true", "false"],
        description="true: images as JPEG; false: raw, so that `lingbot replay` compares bit for bit",
    ),
]


def generate_launch_description() -> LaunchDescription:
    """Include imagine.launch.py, with all of its arguments, and record from the start."""
    imagine = PathJoinSubstitution([FindPackageShare("lingbot_ros"), "launch", "imagine.launch.py"])
    return LaunchDescription(
        [
            *ARGUMENTS,
            SetLaunchConfiguration("recording.on_start", "true"),
            SetLaunchConfiguration("recording.folder", LaunchConfiguration("folder")),
            SetLaunchConfiguration("recording.compressed", LaunchConfiguration("compressed")),
            IncludeLaunchDescription(imagine),
        ]
    )
