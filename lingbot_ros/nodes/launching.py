"""What the launch files share: a lifecycle node of this package, and the transitions of `autostart`.

Only launch files import it: `launch` and `launch_ros` come with a ROS 2 installation, not as wheels.
"""

from collections.abc import Mapping
from typing import Any

from launch import LaunchContext
from launch.actions import EmitEvent, RegisterEventHandler, Shutdown
from launch.conditions import IfCondition
from launch.event_handlers import OnProcessStart
from launch.events import matches_action
from launch.events.process import ProcessExited, ProcessStarted
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import LifecycleNode
from launch_ros.event_handlers import OnStateTransition
from launch_ros.events.lifecycle import ChangeState
from lifecycle_msgs.msg import Transition


def given_parameters(context: LaunchContext, overrides: Mapping[str, str]) -> dict[str, Any]:
    """The parameters of those launch arguments that are given; `overrides` has argument -> parameter."""
    values = {argument: LaunchConfiguration(argument).perform(context) for argument in overrides}
    return {parameter: values[argument] for argument, parameter in overrides.items() if values[argument]}


def remapped_image(context: LaunchContext, own: str, argument: str) -> list[tuple[str, str]]:
    """The remapping of the image topic `own`, or of its compressed form, to the topic of an argument; none if empty.

    Only one of the two is remapped: the node would get every image twice, and refuse the second.
    """
    topic = LaunchConfiguration(argument).perform(context)
    return [(f"{own}/compressed" if topic.endswith("/compressed") else own, topic)] if topic else []


def lifecycle_node(name: str, given: Mapping[str, Any], **options: Any) -> list[Any]:
    """The node of the executable `name` and, with autostart, its transitions. The launch ends with the node.

    Reads the arguments namespace, params_file, use_sim_time, autostart and log_level. given: parameters that override
    the file. options: of `LifecycleNode`; with `respawn` the launch goes on.
    """
    respawn = options.get("respawn", False)

    def shut_down(event: ProcessExited, context: LaunchContext) -> list[Any]:
        """Where the launch is ending already, a second shutdown would be an error."""
        return [] if context.is_shutdown else [Shutdown(reason=f"the {name} node ended")]

    node = LifecycleNode(
        package="lingbot_ros",
        executable=name,
        name=name,
        namespace=LaunchConfiguration("namespace"),
        parameters=[
            LaunchConfiguration("params_file"),
            {"use_sim_time": LaunchConfiguration("use_sim_time")},
            *([dict(given)] if given else []),
        ],
        arguments=["--ros-args", "--log-level", LaunchConfiguration("log_level")],
        output="screen",
        emulate_tty=True,
        sigterm_timeout="10",
        on_exit=None if respawn else shut_down,  # an empty list is an exception in launch 3.7
        **options,
    )

    def start_up(event: ProcessStarted, context: LaunchContext) -> list[Any]:
        """Once per process: a configure that somebody asks for later must not activate by itself."""
        return [
            RegisterEventHandler(
                OnStateTransition(
                    target_lifecycle_node=node,
                    start_state="configuring",
                    goal_state="inactive",
                    entities=[_transition(node, Transition.TRANSITION_ACTIVATE)],
                    handle_once=True,
                )
            ),
            _transition(node, Transition.TRANSITION_CONFIGURE),
        ]

    started = OnProcessStart(target_action=node, on_start=start_up)
    return [RegisterEventHandler(started, condition=IfCondition(LaunchConfiguration("autostart"))), node]


def _transition(node: LifecycleNode, transition_id: int) -> EmitEvent:
    return EmitEvent(event=ChangeState(lifecycle_node_matcher=matches_action(node), transition_id=transition_id))
