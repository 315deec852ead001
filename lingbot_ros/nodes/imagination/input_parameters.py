"""Parameters of what drives the imagination node."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lingbot_ros.errors import InputError
from lingbot_ros.nodes.parameter import Parameter
from lingbot_ros.runtime.arbiter import PRIORITY
from lingbot_ros.runtime.enums import ControlSource
from lingbot_ros.runtime.inbox import StalePolicy

TOPICS = {
    "action": ControlSource.ACTION,
    "camera_pose": ControlSource.CAMERA_POSE,
    "path": ControlSource.PATH,
    "cmd_vel": ControlSource.CMD_VEL,
    "joint_states": ControlSource.JOINT_STATE,
    "joint_trajectory": ControlSource.JOINT_TRAJECTORY,
    "joy": ControlSource.JOY,
    "keys": ControlSource.KEYS,
}
"""Topics that drive, and how frames call them as their source."""

_TOPIC_OF = {source: topic for topic, source in TOPICS.items()}
_TWIST = "linear x, y, z and angular x, y, z"

INPUT_PARAMETERS = (
    Parameter("frames.camera", "camera_link", "camera housing, x forward, y left, z up; velocities move it"),
    Parameter("frames.tf_prefix", "imagined_", "before the frames of published odometry and transforms"),
    Parameter("frames.tf_tolerance", 1.0, "s by which a pose may be younger or older than a moving frame's newest "
              "transform", 0.0, 3600.0),
    Parameter("input.action_timeout", 0.5, "s without a new control after which it is stale (realtime)", 0.0, 3600.0),
    Parameter("input.stale", "hold", "stale controls: hold = the last action or pose goes on, a velocity becomes zero; "
              "decay = as hold, but a velocity fades; stop = time stands still", choices=tuple(StalePolicy)),
    Parameter("input.decay_time", 0.5, "s in which a stale velocity fades to 37 % (input.stale decay)", 0.0, 3600.0),
    Parameter("input.priority", [_TOPIC_OF[source] for source in PRIORITY],
              "topics that drive, first wins while fresh (realtime)"),
    Parameter("input.max_age", 0.0, "s that a stamped control may be old by the node's clock; 0 = any", 0.0, 3600.0),
    Parameter("input.queue", 4096, "controls that may wait for the generator (lockstep)", 1, 1_000_000),
    Parameter("input.start_on_image", False, "start a new session, replacing the active one, at each seed_image"),
    Parameter("input.cmd_vel.stamped", True, "cmd_vel is a TwistStamped; false: a Twist"),
    Parameter("input.velocity_map", [""], "action models: what velocities do, one line per component of the action, as "
              "256 -100*linear.y -100*angular.z: where it starts (else in the middle), and units per s; empty = "
              "cmd_vel, joy and keys are refused"),
    Parameter("input.joints.map", [""], "action models: one line per component of the action, JOINT LOW HIGH with the "
              "joint's values for the component's least and greatest, or JOINT alone; empty = joints are refused"),
    Parameter("input.joints.clip", False, "a joint outside of its limits counts as at the limit; false: it is refused"),
    Parameter("input.joy.axes", [1, 0, -1, -1, 4, 3], f"axes for {_TWIST}; -1 = none"),
    Parameter("input.joy.scale", [0.8, 0.8, 0.8, 0.56, -0.56, 0.56], f"m/s and rad/s of a full axis for {_TWIST}"),
    Parameter("input.joy.enable_button", 4, "button that must be held for joy to drive; -1 = none", -1, 255),
    Parameter("input.keys.speed", 0.8, "m/s of w, a, s and d", 0.0, 1000.0),
    Parameter("input.keys.turn_rate", 0.56, "rad/s of i, j, k and l", 0.0, 100.0),
)  # fmt: skip


@dataclass(frozen=True)
class InputConfig:
    """How messages become controls. Tuples of joy are the six components of a twist."""

    camera_frame: str
    tf_prefix: str
    tf_tolerance_s: float
    max_age_s: float
    pause_s: float
    stamped: bool
    velocity_map: tuple[str, ...]
    joint_map: tuple[str, ...]
    clip_joints: bool
    joy_axes: tuple[int, ...]
    joy_scale: tuple[float, ...]
    joy_button: int
    key_speed: float
    key_turn_rate: float


def input_config(values: Mapping[str, Any]) -> InputConfig:
    """From the values of all parameters by name. Raises InputError naming the parameter."""
    for name in ("input.joy.axes", "input.joy.scale"):
        if len(values[name]) != 6 or not np.isfinite(values[name]).all():
            raise InputError(name, list(values[name]), f"give six numbers: {_TWIST}")
    return InputConfig(
        camera_frame=str(values["frames.camera"]),
        tf_prefix=str(values["frames.tf_prefix"]),
        tf_tolerance_s=float(values["frames.tf_tolerance"]),
        max_age_s=float(values["input.max_age"]),
        pause_s=float(values["input.action_timeout"]),
        stamped=bool(values["input.cmd_vel.stamped"]),
        velocity_map=_lines(values["input.velocity_map"]),
        joint_map=_lines(values["input.joints.map"]),
        clip_joints=bool(values["input.joints.clip"]),
        joy_axes=tuple(values["input.joy.axes"]),
        joy_scale=tuple(values["input.joy.scale"]),
        joy_button=int(values["input.joy.enable_button"]),
        key_speed=float(values["input.keys.speed"]),
        key_turn_rate=float(values["input.keys.turn_rate"]),
    )


def priority(topics: Any) -> tuple[ControlSource, ...]:
    """The parameter `input.priority`. Raises InputError for a name that is no topic, or is there twice."""
    for topic in topics:
        if topic not in TOPICS or list(topics).count(topic) > 1:
            raise InputError("input.priority", f"'{topic}'", f"name each at most once: {', '.join(TOPICS)}")
    return tuple(TOPICS[topic] for topic in topics)


def _lines(lines: Any) -> tuple[str, ...]:
    return tuple(lines) if any(lines) else ()
