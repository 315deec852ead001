"""Topics that drive the active session: messages -> offers for the worker."""

import math
import time

import numpy as np
from geometry_msgs.msg import PoseStamped, Twist, TwistStamped
from nav_msgs.msg import Path
from sensor_msgs.msg import JointState, Joy
from std_msgs.msg import String
from trajectory_msgs.msg import JointTrajectory

from lingbot_msgs.msg import RobotAction
from lingbot_ros.bridge.controls import actions_to_controls, poses_to_controls
from lingbot_ros.bridge.plans import joint_values, path_poses, trajectory_actions
from lingbot_ros.bridge.stamps import to_nanoseconds
from lingbot_ros.bridge.velocities import Twist6, is_enabled, joy_values, keys_values, moved_twist, twist_values
from lingbot_ros.control.joint_states import JointStates
from lingbot_ros.control.mappings import JointMap, require_action, require_camera, require_no_keys
from lingbot_ros.control.motion import Values
from lingbot_ros.errors import ErrorCode, InputError, LingbotError
from lingbot_ros.nodes.imagination.context import NodeContext
from lingbot_ros.runtime.commands import Plan, Velocity
from lingbot_ros.runtime.enums import ControlSource, Mode
from lingbot_ros.runtime.records import NANOSECONDS, Control
from lingbot_ros.runtime.stamp_order import StampOrder


class Driving:
    """One handler per topic. Each raises InputError or LingbotError, and then nothing has changed."""

    def __init__(self, running: NodeContext) -> None:
        self._running, self._spec, self._config = running, running.info.control, running.config.inputs
        self._orders: dict[tuple[str, ...], StampOrder] = {}
        self._joints: JointStates | None = None
        self._frame_told = False

    def on_action(self, message: RobotAction) -> None:
        self._running.worker.inbox.require_served(message.session_id)
        now_ns = self._running.now_ns()
        (control,) = actions_to_controls(
            [message],
            self._spec,
            ControlSource.ACTION,
            received_s=time.monotonic(),
            received_ns=now_ns,
            field="action",
        )
        self._in_order("action", message)
        self._running.worker.put_control(control, message.session_id)

    def on_pose(self, message: PoseStamped) -> None:
        require_no_keys(self._spec, "camera_pose")
        (control,) = poses_to_controls(
            [message],
            self._spec,
            ControlSource.CAMERA_POSE,
            frames=self._running.frames,
            map_frame=self._running.config.map_frame,
            received_s=time.monotonic(),
            received_ns=self._running.now_ns(),
            field="camera_pose",
        )
        self._warn_of_no_frame("camera_pose", message.header.frame_id, self._running.config.map_frame)
        self._in_order("camera_pose", message, strictly=True)
        self._running.worker.put_control(control)

    def on_path(self, message: Path) -> None:
        require_camera(self._spec, "path")
        require_no_keys(self._spec, "path")
        map_frame, fps = self._running.config.map_frame, self._running.info.fps
        poses = path_poses(message, self._running.frames, map_frame, fps)
        named = message.header.frame_id or next((p.header.frame_id for p in message.poses if p.header.frame_id), "")
        self._warn_of_no_frame("path", named, map_frame)
        self._in_order("path", message)
        self._plan(list(poses), ControlSource.PATH, to_nanoseconds(message.header.stamp))

    def on_twist(self, message: Twist) -> None:
        self._drive(twist_values(message, "cmd_vel"), ControlSource.CMD_VEL)

    def on_twist_stamped(self, message: TwistStamped) -> None:
        twist, stamp_ns = twist_values(message.twist, "cmd_vel.twist"), to_nanoseconds(message.header.stamp)
        if self._spec.kind == "camera" and message.header.frame_id:
            twist = self._of_camera(twist, message.header.frame_id)
        rates = self._rates(twist, "cmd_vel")
        self._in_order("cmd_vel", message)
        self._offer(rates, ControlSource.CMD_VEL, stamp_ns)

    def on_joint_states(self, message: JointState) -> None:
        values, joints = joint_values(message), self._joint_states()
        # Publishers of different joints are in order each for itself.
        self._in_order("joint_states", message, source=tuple(message.name))
        action = joints.put(values, time.monotonic(), "joint_states")
        if action is None:
            return
        self._running.worker.put_control(
            self._control(action, ControlSource.JOINT_STATE, to_nanoseconds(message.header.stamp))
        )

    def on_joint_trajectory(self, message: JointTrajectory) -> None:
        actions = trajectory_actions(message, self._joint_map("joint_trajectory"), self._running.info.fps)
        start_ns = to_nanoseconds(message.header.stamp)
        over, begin_s = self._begin(start_ns, len(actions))
        self._in_order("joint_trajectory", message)
        self._plan(list(actions), ControlSource.JOINT_TRAJECTORY, start_ns, over=over, begin_s=begin_s)

    def _begin(self, start_ns: int, frames: int) -> tuple[int, float]:
        """How many frames of a plan are over that begins at `start_ns`, and when it begins on the monotonic clock.

        Raises InputError for one that is over altogether. In lockstep there is no time to wait for.
        """
        if not start_ns or self._running.config.worker.mode is Mode.LOCKSTEP:
            return 0, -math.inf
        ahead_s, fps = (start_ns - self._running.now_ns()) / NANOSECONDS, self._running.info.fps
        over = max(0, math.floor(-ahead_s * fps))
        if over >= frames:
            fix = f"it was to begin {-ahead_s:.3f} s ago and takes {frames / fps:.3f} s; give when it is to begin, or 0"
            raise InputError("joint_trajectory.header.stamp", f"{start_ns / NANOSECONDS:.3f} s", fix)
        return over, time.monotonic() + ahead_s

    def on_joy(self, message: Joy) -> None:
        twist = joy_values(message, self._config.joy_axes, self._config.joy_scale)
        rates, enabled = self._rates(twist, "joy"), is_enabled(message, self._config.joy_button)
        self._in_order("joy", message)
        if enabled:
            self._offer(rates, ControlSource.JOY, to_nanoseconds(message.header.stamp), level=True)
        else:
            self._running.worker.inbox.release(ControlSource.JOY)

    def on_keys(self, message: String) -> None:
        twist = keys_values(message.data, self._config.key_speed, self._config.key_turn_rate)
        self._drive(twist, ControlSource.KEYS, level=True)

    def _drive(self, twist: Twist6, source: ControlSource, *, level: bool = False) -> None:
        self._offer(self._rates(twist, source.name.lower()), source, 0, level=level)

    def _offer(self, rates: Values, source: ControlSource, stamp_ns: int, *, level: bool = False) -> None:
        stamp_ns = stamp_ns or self._running.now_ns()
        start = None if self._running.maps.velocities is None else self._running.maps.velocities.start
        self._running.worker.put_control(Velocity(rates, source, time.monotonic(), stamp_ns, level, start))

    def _rates(self, twist: Twist6, field: str) -> Values:
        """The twist itself for a camera; for actions what the configured map makes of it."""
        if self._spec.kind == "camera":
            return twist
        if self._running.maps.velocities is None:
            reason = "this model is driven by actions; set input.velocity_map to say what a velocity means for them"
            raise LingbotError(f"{field}: {reason}", ErrorCode.UNSUPPORTED)
        return np.asarray(self._running.maps.velocities.matrix @ twist)

    def _of_camera(self, twist: Twist6, frame_id: str) -> Twist6:
        """A velocity of another frame on the same body, which static transforms connect to the camera."""
        camera, frames, field = self._config.camera_frame, self._running.frames, "cmd_vel.header.frame_id"
        to_camera = frames.lookup(camera, frame_id, field)
        if not frames.is_static(camera, frame_id):
            fix = f"give the velocity of a frame on the same body as '{camera}': static transforms only"
            raise InputError(field, f"'{frame_id}'", fix)
        return moved_twist(twist, to_camera)

    def _joint_states(self) -> JointStates:
        joints, settings = self._joint_map("joint_states"), self._running.config.worker
        if self._joints is None:
            whole_sets = settings.mode is Mode.LOCKSTEP
            self._joints = JointStates(joints, settings.control_timeout_s, whole_sets=whole_sets)
        return self._joints

    def _joint_map(self, field: str) -> JointMap:
        require_action(self._spec, field)
        if self._running.maps.joints is None:
            reason = "set input.joints.map to say which joint drives which component of the action"
            raise LingbotError(f"{field}: {reason}", ErrorCode.UNSUPPORTED)
        return self._running.maps.joints

    def _control(self, values: Values, source: ControlSource, stamp_ns: int) -> Control:
        return Control(values, source, time.monotonic(), stamp_ns=stamp_ns or self._running.now_ns())

    def _plan(
        self, values: list[Values], source: ControlSource, stamp_ns: int, *, over: int = 0, begin_s: float = -math.inf
    ) -> None:
        controls = tuple(self._control(row, source, stamp_ns) for row in values)
        self._running.worker.put_control(Plan(controls, over, begin_s))

    def _in_order(self, topic: str, message: object, *, strictly: bool = False, source: tuple[str, ...] = ()) -> None:
        """The last check before a message counts, so that refused ones leave no trace in the order of stamps."""
        key = (topic, *source)
        if key not in self._orders:
            pause_s, age_s = self._config.pause_s, self._config.max_age_s
            self._orders[key] = StampOrder(topic, strictly=strictly, pause_s=pause_s, max_age_s=age_s)
        self._orders[key].check(to_nanoseconds(message.header.stamp), self._running.now_ns())  # type: ignore[attr-defined]

    def _warn_of_no_frame(self, topic: str, frame_id: str, map_frame: str) -> None:
        if not frame_id and not self._frame_told:
            self._frame_told = True
            self._running.node.get_logger().warning(f"{topic}.header.frame_id is empty; it is read as '{map_frame}'")
