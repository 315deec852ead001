"""Start the node `evaluator`: `ros2 launch lingbot_ros evaluate.launch.py`."""

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.substitutions import FindPackageShare

from lingbot_ros.nodes.launching import given_parameters, lifecycle_node, remapped_image

# Launch argument -> node parameter. An argument that is not given keeps the value of the parameter file.
OVERRIDES = {
    "model": "model.name",
    "device": "model.device",
    "report_folder": "report.folder",
    "trust": "trust.enabled",
    "value": "value.enabled",
}
_SWITCHES = ("trust.enabled", "value.enabled")

ARGUMENTS = [
    DeclareLaunchArgument("model", default_value="", description="name or folder of the model; empty = params_file's"),
    DeclareLaunchArgument("device", default_value="", description="device: auto, cpu, cuda; empty = params_file's"),
    DeclareLaunchArgument(
        "nodes",
        default_value="",
        description="imagination nodes to imagine in, separated by commas, instead of a model of its own",
    ),
    DeclareLaunchArgument(
        "report_folder", default_value="", description="folder of the reports; empty = params_file's"
    ),
    DeclareLaunchArgument(
        "trust",
        default_value="",
        choices=["", "true", "false"],
        description="watch whether reality follows the imagined future (trust.enabled); empty = params_file's",
    ),
    DeclareLaunchArgument(
        "value",
        default_value="",
        choices=["", "true", "false"],
        description="publish value and advantage of the images (value.enabled); empty = params_file's",
    ),
    DeclareLaunchArgument("image", default_value="image", description="image topic of the camera that is watched"),
    DeclareLaunchArgument("action", default_value="action", description="topic of the actions that the robot is given"),
    DeclareLaunchArgument("namespace", default_value="", description="ROS namespace of the node and its topics"),
    DeclareLaunchArgument(
        "params_file",
        default_value=PathJoinSubstitution([FindPackageShare("lingbot_ros"), "config", "evaluator.yaml"]),
        description="full path of the node's parameter file",
    ),
    DeclareLaunchArgument("use_sim_time", default_value="false", description="use the time of /clock"),
    DeclareLaunchArgument("autostart", default_value="true", description="configure and activate the node"),
    DeclareLaunchArgument("log_level", default_value="info", description="debug, info, warn, error or fatal"),
]


def start_node(context: LaunchContext) -> list:
    """Create the node and, with autostart, its transitions. Only arguments that are given override the file."""
    given = given_parameters(context, OVERRIDES)
    given |= {parameter: text == "true" for parameter, text in given.items() if parameter in _SWITCHES}
    if nodes := LaunchConfiguration("nodes").perform(context):
        given["imagination_nodes"] = [name.strip() for name in nodes.split(",")]
    remappings = [*remapped_image(context, "image", "image"), ("action", LaunchConfiguration("action"))]
    return lifecycle_node("evaluator", given, remappings=remappings)


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; the node is created when the launch starts."""
    return LaunchDescription([*ARGUMENTS, OpaqueFunction(function=start_node)])
