"""Start the page for an imagination node: `ros2 launch lingbot_ros viewer.launch.py`."""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

ARGUMENTS = [
    DeclareLaunchArgument("namespace", default_value="", description="ROS namespace of the imagination node"),
    DeclareLaunchArgument("imagination", default_value="imagination", description="name of the imagination node"),
    DeclareLaunchArgument(
        "host", default_value="127.0.0.1", description="address of the page; 0.0.0.0 = other machines too, with a token"
    ),
    DeclareLaunchArgument("port", default_value="8420", description="port of the page; 0 = any free one"),
]


def generate_launch_description() -> LaunchDescription:
    """The node `viewer`. Its first line of output is the address to open."""
    viewer = Node(
        package="lingbot_ros",
        executable="viewer",
        name="viewer",
        namespace=LaunchConfiguration("namespace"),
        output="screen",
        parameters=[
            {
                "host": ParameterValue(LaunchConfiguration("host"), value_type=str),
                "port": ParameterValue(LaunchConfiguration("port"), value_type=int),
                "imagination": ParameterValue(LaunchConfiguration("imagination"), value_type=str),
            }
        ],
    )
    return LaunchDescription([*ARGUMENTS, viewer])
