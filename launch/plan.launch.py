"""Start the node `planner`: `ros2 launch lingbot_ros plan.launch.py`."""

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.substitutions import FindPackageShare

from lingbot_ros.nodes.launching import given_parameters, lifecycle_node, remapped_image

# Launch argument -> node parameter. An argument that is not given keeps the value of the parameter file.
OVERRIDES = {
    "model": "model.name",
    "device": "model.device",
    "imagination_node": "imagination_node",
}

ARGUMENTS = [
    DeclareLaunchArgument("model", default_value="", description="name or folder of the model; empty = params_file's"),
    DeclareLaunchArgument("device", default_value="", description="device: auto, cpu, cuda; empty = params_file's"),
    DeclareLaunchArgument(
        "imagination_node",
        default_value="",
        description="imagination node in whose sessions goals may start; empty = params_file's",
    ),
    DeclareLaunchArgument("image", default_value="image", description="image topic of the robot's camera"),
    DeclareLaunchArgument("action", default_value="action", description="topic on which the robot takes actions"),
    DeclareLaunchArgument("namespace", default_value="", description="ROS namespace of the node and its topics"),
    DeclareLaunchArgument(
        "params_file",
        default_value=PathJoinSubstitution([FindPackageShare("lingbot_ros"), "config", "planner.yaml"]),
        description="full path of the node's parameter file",
    ),
    DeclareLaunchArgument("use_sim_time", default_value="false", description="use the time of /clock"),
    DeclareLaunchArgument("autostart", default_value="true", description="configure and activate the node"),
    DeclareLaunchArgument("log_level", default_value="info", description="debug, info, warn, error or fatal"),
]


def start_node(context: LaunchContext) -> list:
    """Create the node and, with autostart, its transitions. Only arguments that are given override the file."""
    remappings = [*remapped_image(context, "image", "image"), ("action", LaunchConfiguration("action"))]
    return lifecycle_node("planner", given_parameters(context, OVERRIDES), remappings=remappings)


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; the node is created when the launch starts."""
    return LaunchDescription([*ARGUMENTS, OpaqueFunction(function=start_node)])
