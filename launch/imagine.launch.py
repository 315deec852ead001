"""Start the node `imagination`: `ros2 launch lingbot_ros imagine.launch.py`."""

from launch import LaunchContext, LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    OpaqueFunction,
    RegisterEventHandler,
    SetEnvironmentVariable,
    Shutdown,
)
from launch.conditions import IfCondition
from launch.event_handlers import OnProcessStart
from launch.events import matches_action
from launch.events.process import ProcessExited, ProcessStarted
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import LifecycleNode
from launch_ros.event_handlers import OnStateTransition
from launch_ros.events.lifecycle import ChangeState
from launch_ros.substitutions import FindPackageShare
from lifecycle_msgs.msg import Transition

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
    given = {
        parameter: LaunchConfiguration(argument).perform(context)
        for argument, parameter in OVERRIDES.items()
        if LaunchConfiguration(argument).perform(context)
    }
    if "observe.every" in given:
        given["observe.every"] = int(given["observe.every"])
    configurations = context.launch_configurations
    given |= {name: read(configurations[name]) for name, read in SET_BY_OTHERS.items() if name in configurations}
    camera = LaunchConfiguration("camera").perform(context)
    # Remap only one of the two topics: a second copy of an image would be refused.
    own = "observed_image/compressed" if camera.endswith("/compressed") else "observed_image"
    respawn = LaunchConfiguration("use_respawn").perform(context).lower() in ("true", "1")
    node = LifecycleNode(
        package="lingbot_ros",
        executable="imagination",
        name="imagination",
        namespace=LaunchConfiguration("namespace"),
        parameters=[
            LaunchConfiguration("params_file"),
            {"use_sim_time": LaunchConfiguration("use_sim_time")},
            *([given] if given else []),
        ],
        remappings=[(own, camera)] if camera else [],
        arguments=["--ros-args", "--log-level", LaunchConfiguration("log_level")],
        output="screen",
        emulate_tty=True,
        sigterm_timeout="10",
        respawn=respawn,
        respawn_delay=RESPAWN_S,
        on_exit=None if respawn else _shut_down,  # an empty list is an exception in launch 3.7
    )
    autostart = IfCondition(LaunchConfiguration("autostart"))
    configure = EmitEvent(event=_transition(node, Transition.TRANSITION_CONFIGURE))

    def start_up(event: ProcessStarted, context: LaunchContext) -> list:
        """Once per process: a configure that somebody asks for later must not activate by itself."""
        activate = EmitEvent(event=_transition(node, Transition.TRANSITION_ACTIVATE))
        return [
            RegisterEventHandler(
                OnStateTransition(
                    target_lifecycle_node=node,
                    start_state="configuring",
                    goal_state="inactive",
                    entities=[activate],
                    handle_once=True,
                )
            ),
            configure,
        ]

    return [RegisterEventHandler(OnProcessStart(target_action=node, on_start=start_up), condition=autostart), node]


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


def _shut_down(event: ProcessExited, context: LaunchContext) -> list:
    """End the launch with the node; where the launch is ending already, a second shutdown would be an error."""
    return [] if context.is_shutdown else [Shutdown(reason="the imagination node ended")]


def _transition(node: LifecycleNode, transition_id: int) -> ChangeState:
    return ChangeState(lifecycle_node_matcher=matches_action(node), transition_id=transition_id)
