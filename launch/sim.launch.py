"""Start the node `imagination` as a simulator: `ros2 launch lingbot_ros sim.launch.py world:=FILE`."""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, SetLaunchConfiguration
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.substitutions import FindPackageShare

ARGUMENTS = [
    DeclareLaunchArgument("world", default_value="pusht", description="world to load: a YAML file or a name"),
    DeclareLaunchArgument("worlds", default_value="", description="folder of your own worlds"),
    DeclareLaunchArgument(
        "mode",
        default_value="lockstep",
        choices=["realtime", "lockstep"],
        description="lockstep: as fast as possible, one chunk per set of controls; realtime: paced",
    ),
]


def generate_launch_description() -> LaunchDescription:
    """Include imagine.launch.py, with all of its arguments; the simulator starts paused in its world."""
    imagine = PathJoinSubstitution([FindPackageShare("lingbot_ros"), "launch", "imagine.launch.py"])
    return LaunchDescription(
        [
            *ARGUMENTS,
            SetLaunchConfiguration("simulator.enabled", "true"),
            SetLaunchConfiguration("simulator.world", LaunchConfiguration("world")),
            SetLaunchConfiguration("simulator.worlds", LaunchConfiguration("worlds")),
            IncludeLaunchDescription(imagine),
        ]
    )
