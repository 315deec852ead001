"""Start the node `imagination`: `ros2 launch lingbot_ros imagine.launch.py`."""

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.substitutions import FindPackageShare

from lingbot_ros.nodes.launching import given_parameters, lifecycle_node, remapped_image

# Launch argument -> node parameter. An argument that is not given keeps the value of the parameter file.
OVERRIDES = {
    "model": "model.name",
    "engine": "model.engine",
    "device": "model.device",
    "precision": "model.precision",
    "mode": "mode",
    "observe_every": "observe.every",
}

# Set by launch files that include this one. Their SetParameter would be overridden by the parameter file.
SET_BY_OTHERS = {
    "simulator.enabled": lambda text: text == "true",
    "simulator.world": str,
    "simulator.worlds": str,
    "recording.on_start": lambda text: text == "true",
    "recording.folder": str,
    "recording.compressed": lambda text: text == "true",
}

# Fast DDS offers the services of a process that crashed for 20 s more. A request to configure that goes there is lost.
RESPAWN_S = 22.0

ARGUMENTS = [
    DeclareLaunchArgument("model", default_value="", description="name or folder of the model; empty = params_file's"),
    DeclareLaunchArgument(
        "engine", default_value="", description="engine: auto, torch or onnxruntime; empty = params_file's"
    ),
    DeclareLaunchArgument(
        "device", default_value="", description="device: auto, cpu, cuda or cuda:N; empty = params_file's"
    ),
    DeclareLaunchArgument(
        "precision", default_value="", description="precision: auto, f32, bf16, ...; empty = params_file's"
    ),
    DeclareLaunchArgument(
        "mode",
        default_value="",
        choices=["", "realtime", "lockstep"],
        description="realtime: paced, newest control; lockstep: one chunk per set of controls; empty = params_file's",
    ),
    DeclareLaunchArgument(
        "camera",
        default_value="",
        description="image topic of a real camera, TOPIC or TOPIC/compressed; empty = observed_image",
    ),
    DeclareLaunchArgument(
        "observe_every",
        default_value="",
        description="in every N frames the last chunk is real (observe.every); empty = params_file's",
    ),
    DeclareLaunchArgument("namespace", default_value="", description="ROS namespace of the node and its topics"),
    DeclareLaunchArgument(
        "params_file",
        default_value=PathJoinSubstitution([FindPackageShare("lingbot_ros"), "config", "imagination.yaml"]),
        description="full path of the node's parameter file",
    ),
    DeclareLaunchArgument(
        "use_sim_time",
        default_value="false",
        description="stamp messages and judge their age by /clock; frames and status keep the pace of real time",
    ),
    DeclareLaunchArgument("autostart", default_value="true", description="configure and activate the node"),
    DeclareLaunchArgument("log_level", default_value="info", description="debug, info, warn, error or fatal"),
    DeclareLaunchArgument(
        "large_images",
        default_value="false",
        description="use shared memory for raw images larger than 512 KB; subscribers need it, too",
    ),
    DeclareLaunchArgument("use_respawn", default_value="false", description="restart the node 22 s after a crash"),
]


def start_node(context: LaunchContext) -> list:
    """Create the node and, with autostart, its transitions. Only arguments that are given override the file."""
    given = given_parameters(context, OVERRIDES)
    if "observe.every" in given:
        given["observe.every"] = int(given["observe.every"])
    configurations = context.launch_configurations
    given |= {name: read(configurations[name]) for name, read in SET_BY_OTHERS.items() if name in configurations}
    return lifecycle_node(
        "imagination",
        given,
        remappings=remapped_image(context, "observed_image", "camera"),
        respawn=LaunchConfiguration("use_respawn").perform(context).lower() in ("true", "1"),
        respawn_delay=RESPAWN_S,
    )


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; the node is created when the launch starts."""
    profile = PathJoinSubstitution([FindPackageShare("lingbot_ros"), "config", "fastdds_large_images.xml"])
    large = IfCondition(LaunchConfiguration("large_images"))
    # The second name is that of Fast DDS 2, used by Jazzy.
    profiles = [
        SetEnvironmentVariable(name, profile, condition=large)
        for name in ("FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE")
    ]
    return LaunchDescription([*ARGUMENTS, *profiles, OpaqueFunction(function=start_node)])
