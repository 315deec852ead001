"""What the parts of a configured imagination node share."""

import time
import traceback
from collections.abc import Sequence
from typing import Any

from geometry_msgs.msg import PoseStamped
from rclpy.callback_groups import CallbackGroup, MutuallyExclusiveCallbackGroup, ReentrantCallbackGroup
from rclpy.lifecycle import LifecycleNode

from lingbot_msgs.msg import FrameInfo, RobotAction, SessionInfo
from lingbot_ros.bridge.controls import trajectory_to_controls
from lingbot_ros.bridge.session_messages import Publication, frame_header, frame_info, session_info
from lingbot_ros.control.frames import FrameGraph
from lingbot_ros.control.mappings import ActionMaps
from lingbot_ros.errors import ErrorCode, LingbotError, printable
from lingbot_ros.model.framing import stretch_note
from lingbot_ros.nodes.imagination.parameters import ImaginationConfig
from lingbot_ros.runtime.enums import ControlSource
from lingbot_ros.runtime.records import Control, FrameRecord, SessionView
from lingbot_ros.runtime.worker import WorldWorker
from lingbot_ros.world import World


class NodeContext:
    """The worker and the model's description, the callback groups, and how errors are reported."""

    def __init__(self, node: LifecycleNode, config: ImaginationConfig, worker: WorldWorker, world: World) -> None:
        self.node, self.config, self.worker = node, config, worker
        self.card, self.info = world.card, world.info
        self.frames = FrameGraph(config.inputs.tf_tolerance_s)
        inputs = config.inputs
        self.maps = ActionMaps.parse(inputs.joint_map, inputs.velocity_map, world.info.control, clip=inputs.clip_joints)
        self.active = False
        # Requests await the worker and may overlap; inputs must keep their order; goals must not overlap in admission.
        self.requests: CallbackGroup = ReentrantCallbackGroup()
        self.inputs: CallbackGroup = MutuallyExclusiveCallbackGroup()
        self.goals: CallbackGroup = MutuallyExclusiveCallbackGroup()
        self.timers: CallbackGroup = MutuallyExclusiveCallbackGroup()

    def require_active(self) -> None:
        if not self.active:
            raise LingbotError("the node is not active; activate it first", ErrorCode.NOT_ACTIVE)

    def controls(
        self, actions: Sequence[RobotAction], poses: Sequence[PoseStamped], source: ControlSource
    ) -> list[Control]:
        """The controls of a trajectory. Raises InputError or LingbotError as `trajectory_to_controls` does."""
        return trajectory_to_controls(
            actions,
            poses,
            self.info.control,
            source,
            frames=self.frames,
            map_frame=self.config.map_frame,
            received_s=time.monotonic(),
            received_ns=self.now_ns(),
        )

    def now_ns(self) -> int:
        """The node's clock, which is ROS time under use_sim_time."""
        return self.node.get_clock().now().nanoseconds

    def session_message(self, view: SessionView) -> SessionInfo:
        return session_info(view, self.info, self.config.optical_frame)

    def frame_message(self, record: FrameRecord) -> FrameInfo:
        """Info of a frame that travels in a response or in feedback rather than on the topic."""
        header = frame_header(record, self.config.optical_frame)
        return frame_info(record, self.info, header, Publication(0, time.time_ns(), time.monotonic()))

    def warn_of_stretch(self, shape: tuple[int, ...]) -> None:
        """Say it where a first image [h, w, 3] is stretched so that it shows."""
        frame, one_size = (self.info.height, self.info.width), self.card.autoencoder == "pixel"
        note = stretch_note((shape[0], shape[1]), frame, self.info.fit, one_size=one_size)
        if note:
            self.node.get_logger().warning(note)

    def refuse(self, what: str, error: Exception, answer: Any = None) -> None:
        """Count and log a failure, and write it into a response or result that ends in error_code and error_msg."""
        if not self.node.context.ok():
            return  # a signal took ROS down before this process ends in order: what cannot be sent any more is no fault
        stored_error = self.worker.statistics.add_error(error)
        if stored_error.code is ErrorCode.INTERNAL:
            trace = printable("".join(traceback.format_exception(error)))
            self.node.get_logger().error(f"{what}: {stored_error.message}\n{trace}")
        elif answer is not None:
            self.node.get_logger().warning(f"{what} refused: {stored_error.message}")
        else:
            # A topic can be wrong a hundred times a second.
            self.node.get_logger().warning(f"{what} refused: {stored_error.message}", throttle_duration_sec=0.5)
        if answer is not None:
            answer.error_code, answer.error_msg = int(stored_error.code), stored_error.message
