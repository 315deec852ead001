"""Start the node `agent`: `ros2 launch lingbot_ros agent.launch.py`."""

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import PathJoinSubstitution
from launch_ros.substitutions import FindPackageShare

from lingbot_ros.nodes.launching import given_parameters, lifecycle_node

# Launch argument -> node parameter. An argument that is not given keeps the value of the parameter file.
OVERRIDES = {
    "model": "model",
    "base_url": "base_url",
    "instruction": "pilot.instruction",
    "schedule": "director.schedule",
}

ARGUMENTS = [
    DeclareLaunchArgument("model", default_value="", description="vision-language model; empty = params_file's"),
    DeclareLaunchArgument("base_url", default_value="", description="endpoint of the model; empty = params_file's"),
    DeclareLaunchArgument(
        "instruction", default_value="", description="what the robot is to do; empty = params_file's"
    ),
    DeclareLaunchArgument("schedule", default_value="", description="file of prompts; empty = params_file's"),
    DeclareLaunchArgument("namespace", default_value="", description="ROS namespace of the node and its topics"),
    DeclareLaunchArgument(
        "params_file",
        default_value=PathJoinSubstitution([FindPackageShare("lingbot_ros"), "config", "agent.yaml"]),
        description="full path of the node's parameter file",
    ),
    DeclareLaunchArgument("use_sim_time", default_value="false", description="use the time of /clock"),
    DeclareLaunchArgument("autostart", default_value="true", description="configure and activate the node"),
    DeclareLaunchArgument("log_level", default_value="info", description="debug, info, warn, error or fatal"),
]


def start_node(context: LaunchContext) -> list:
    """Create the node and, with autostart, its transitions. Only arguments that are given override the file."""
    return lifecycle_node("agent", given_parameters(context, OVERRIDES))


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; the node is created when the launch starts."""
    return LaunchDescription([*ARGUMENTS, OpaqueFunction(function=start_node)])
