"""Start the node `planner`: `ros2 launch lingbot_ros plan.launch.py`."""

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, EmitEvent, OpaqueFunction, RegisterEventHandler, Shutdown
from launch.conditions import IfCondition
from launch.event_handlers import OnProcessStart
from launch.events import matches_action
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import LifecycleNode
from launch_ros.event_handlers import OnStateTransition
from launch_ros.events.lifecycle import ChangeState
from launch_ros.substitutions import FindPackageShare
from lifecycle_msgs.msg import Transition

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
    values = {argument: LaunchConfiguration(argument).perform(context) for argument in OVERRIDES}
    given = {parameter: values[argument] for argument, parameter in OVERRIDES.items() if values[argument]}
    image = LaunchConfiguration("image").perform(context)
    own = "image/compressed" if image.endswith("/compressed") else "image"
    node = LifecycleNode(
        package="lingbot_ros",
        executable="planner",
        name="planner",
        namespace=LaunchConfiguration("namespace"),
        parameters=[
            LaunchConfiguration("params_file"),
            {"use_sim_time": LaunchConfiguration("use_sim_time")},
            *([given] if given else []),
        ],
        remappings=[(own, image), ("action", LaunchConfiguration("action"))],
        arguments=["--ros-args", "--log-level", LaunchConfiguration("log_level")],
        output="screen",
        emulate_tty=True,
        sigterm_timeout="10",
        on_exit=[Shutdown(reason="the planner node ended")],
    )
    autostart = IfCondition(LaunchConfiguration("autostart"))
    configure = EmitEvent(event=_transition(node, Transition.TRANSITION_CONFIGURE))
    activate = EmitEvent(event=_transition(node, Transition.TRANSITION_ACTIVATE))
    return [
        RegisterEventHandler(
            OnStateTransition(
                target_lifecycle_node=node, start_state="configuring", goal_state="inactive", entities=[activate]
            ),
            condition=autostart,
        ),
        RegisterEventHandler(OnProcessStart(target_action=node, on_start=[configure]), condition=autostart),
        node,
    ]


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; the node is created when the launch starts."""
    return LaunchDescription([*ARGUMENTS, OpaqueFunction(function=start_node)])


def _transition(node: LifecycleNode, transition_id: int) -> ChangeState:
    return ChangeState(lifecycle_node_matcher=matches_action(node), transition_id=transition_id)
