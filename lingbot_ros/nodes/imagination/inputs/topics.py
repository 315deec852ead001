"""Subscriptions of the imagination node: check, store, return."""

from collections.abc import Callable
from typing import Any

from geometry_msgs.msg import PoseStamped, Twist, TwistStamped
from nav_msgs.msg import Path
from rclpy.qos_overriding_options import QoSOverridingOptions
from sensor_msgs.msg import CompressedImage, Image, JointState, Joy
from std_msgs.msg import String
from trajectory_msgs.msg import JointTrajectory

from lingbot_msgs.msg import RobotAction
from lingbot_ros.errors import ErrorCode, LingbotError
from lingbot_ros.nodes import qos
from lingbot_ros.nodes.imagination.context import NodeContext
from lingbot_ros.nodes.imagination.inputs.driving import Driving
from lingbot_ros.nodes.imagination.inputs.observing import TOPIC, Observing
from lingbot_ros.nodes.imagination.inputs.seeding import Seeding
from lingbot_ros.nodes.imagination.inputs.transforms import TransformInputs
from lingbot_ros.nodes.imagination.names import compressed_twin
from lingbot_ros.nodes.timers import steady_timer

_FOLLOWING = ("seed_image/compressed",)
"""They go where their image topic is remapped to. A second copy of a real image would be refused, so not that one."""
_LOOK_S = 2.0


class Inputs:
    """What cannot be used is logged and counted; what this model can never use is logged once per topic."""

    def __init__(self, running: NodeContext) -> None:
        self._running = running
        self._told: set[str] = set()
        settings, inputs = running.config.worker, running.config.inputs
        # Several messages may come between two chunks; only of velocities the newest counts.
        every = qos.control(settings.mode, settings.control_capacity)
        ordered = qos.ordered(settings.mode, settings.control_capacity)
        joints = qos.joints(settings.mode, settings.control_capacity)
        driving, seeding, observing = Driving(running), Seeding(running, self._refuse), Observing(running)
        real = qos.real_images(settings.mode, settings.observe.capacity)
        velocity = TwistStamped if inputs.stamped else Twist
        on_velocity = driving.on_twist_stamped if inputs.stamped else driving.on_twist
        self._topics: dict[str, tuple[Any, Callable[[Any], None], Any]] = {
            "action": (RobotAction, driving.on_action, every),
            "camera_pose": (PoseStamped, driving.on_pose, ordered),
            "path": (Path, driving.on_path, qos.reliable(10)),
            "cmd_vel": (velocity, on_velocity, every),
            "joint_states": (JointState, driving.on_joint_states, joints),
            "joint_trajectory": (JointTrajectory, driving.on_joint_trajectory, qos.reliable(10)),
            "joy": (Joy, driving.on_joy, every),
            "keys": (String, driving.on_keys, every),
            "seed_image": (Image, seeding.on_image, qos.IMAGE),
            "seed_image/compressed": (CompressedImage, seeding.on_compressed, qos.IMAGE),
            "prompt": (String, seeding.on_prompt, qos.PROMPT),
            "observed_image": (Image, observing.on_image, real),
            "observed_image/compressed": (CompressedImage, observing.on_compressed, real),
        }
        changeable = QoSOverridingOptions.with_default_policies()
        self._subscriptions = [
            running.node.create_subscription(
                kind,
                compressed_twin(running.node, topic) if topic in _FOLLOWING else topic,
                self._guarded(topic, handler),
                profile,
                callback_group=running.inputs,
                qos_overriding_options=changeable,
            )
            for topic, (kind, handler, profile) in self._topics.items()
        ]
        # The profile of a subscription that gets what was published before leaves out publishers that keep nothing.
        self._subscriptions.append(
            running.node.create_subscription(
                String,
                "prompt",
                self._guarded("prompt", seeding.on_prompt),
                qos.PROMPT_KEPT,
                callback_group=running.inputs,
            )
        )
        self._transforms = TransformInputs(running)
        self._timer = steady_timer(running.node, _LOOK_S, self._look_for_other_types, running.timers)

    def destroy(self) -> None:
        self._running.node.destroy_timer(self._timer)
        self._transforms.destroy()
        for subscription in self._subscriptions:
            self._running.node.destroy_subscription(subscription)

    def _guarded(self, topic: str, handler: Callable[[Any], None]) -> Callable[[Any], None]:
        def receive(message: Any) -> None:
            try:
                self._running.require_active()
                handler(message)
            except Exception as error:  # a bad message must not end the executor
                self._refuse(topic, error)

        return receive

    def _refuse(self, topic: str, error: Any) -> None:
        if topic.startswith(TOPIC):
            self._running.worker.images.add_rejected()
        else:
            self._running.worker.statistics.add_rejected()
        if isinstance(error, LingbotError) and error.code is ErrorCode.UNSUPPORTED:
            if str(error) in self._told:
                return
            self._told.add(str(error))
            self._running.worker.statistics.add_error(error)
            self._running.node.get_logger().warning(f"{topic} refused (reported once): {error}")
            return
        self._running.refuse(topic, error)

    def _look_for_other_types(self) -> None:
        """DDS connects no publisher of another type and tells nobody, so that a robot would stand without a word."""
        node = self._running.node
        self._look_for_namesakes()
        for subscription in self._subscriptions:
            mine = f"{subscription.msg_type.__module__.split('.')[0]}/msg/{subscription.msg_type.__name__}"
            for publisher in node.get_publishers_info_by_topic(subscription.topic_name):
                if publisher.topic_type == mine:
                    continue
                fix = "set input.cmd_vel.stamped" if "/Twist" in publisher.topic_type else "publish the right type"
                line = (
                    f"{subscription.topic_name}: '{publisher.node_name}' publishes {publisher.topic_type}, which never "
                    f"arrives; this node takes {mine}: {fix}"
                )
                self._warn_once(line)

    def _look_for_namesakes(self) -> None:
        """Two nodes of one name hear the same topics and answer the same services, one of them at random."""
        node = self._running.node
        own = (node.get_name(), node.get_namespace())
        if node.get_node_names_and_namespaces().count(own) > 1:
            name = f"{own[1].rstrip('/')}/{own[0]}"
            self._warn_once(
                f"another node is called {name}, too: the same topics drive both, and either may answer a call; "
                "start one of them in a namespace (--namespace) or with another ROS_DOMAIN_ID"
            )

    def _warn_once(self, line: str) -> None:
        if line not in self._told:
            self._told.add(line)
            self._running.node.get_logger().warning(line)
