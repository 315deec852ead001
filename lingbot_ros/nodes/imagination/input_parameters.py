"""Parameters for the control inputs of the imagination node."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lingbot_ros.control.frames import plain_frame
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
"""Topics that carry controls, and the control source that frames state for each."""

_TOPIC_OF = {source: topic for topic, source in TOPICS.items()}
_TWIST = "linear x, y, z and angular x, y, z"

INPUT_PARAMETERS = (
    Parameter("frames.camera", "camera_link", "camera housing (x forward, y left, z up), moved by velocities"),
    Parameter("frames.tf_prefix", "imagined_", "prefix of the frames of published odometry and transforms"),
    Parameter("frames.tf_tolerance", 1.0, "maximum time between a pose and the newest transform of its moving frame, s",
              0.0, 3600.0),
    Parameter("input.action_timeout", 0.5, "realtime: time without a new control after which the last is stale, s", 0.0,
              3600.0),
    Parameter("input.stale", "hold", "stale controls: hold = the last action or pose is used again and a velocity "
              "becomes zero; decay = as hold, but a velocity decays; stop = imagined time stops",
              choices=tuple(StalePolicy)),
    Parameter("input.decay_time", 0.5, "time in which a stale velocity decays to 37 % (input.stale decay), s", 0.0,
              3600.0),
    Parameter("input.priority", [_TOPIC_OF[source] for source in PRIORITY],
              "realtime: control topics by priority; the first one with a fresh control is used"),
    Parameter("input.max_age", 0.0, "maximum age of a stamped control by the node's clock, s; 0 = no limit", 0.0,
              3600.0),
    Parameter("input.queue", 4096, "lockstep: length of the queue of controls", 1, 1_000_000),
    Parameter("input.start_on_image", False, "start a new session at each seed_image and end the active one"),
    Parameter("input.cmd_vel.stamped", True, "cmd_vel is a TwistStamped; false: a Twist"),
    Parameter("input.velocity_map", [""], "action models: how velocities move the action, one line per component, e.g. "
              "256 -100*linear.y -100*angular.z: initial value (default: the middle) and units per s; empty = cmd_vel, "
              "joy and keys are refused"),
    Parameter("input.joints.map", [""], "action models: one line per component of the action: JOINT LOW HIGH, the "
              "joint's values for the component's minimum and maximum, or JOINT alone; empty = joints are refused"),
    Parameter("input.joints.clip", False, "true: clip a joint to its limits; false: refuse a joint outside of them"),
    Parameter("input.joy.axes", [1, 0, -1, -1, 4, 3], f"axis numbers for {_TWIST}; -1 = none"),
    Parameter("input.joy.scale", [0.8, 0.8, 0.8, 0.56, -0.56, 0.56], f"m/s and rad/s at full deflection for {_TWIST}"),
    Parameter("input.joy.enable_button", 4, "button that must be held to drive with joy; -1 = none", -1, 255),
    Parameter("input.keys.speed", 0.8, "speed of the keys w, a, s and d, m/s", 0.0, 1000.0),
    Parameter("input.keys.turn_rate", 0.56, "turn rate of the keys i, j, k and l, rad/s", 0.0, 100.0),
)  # fmt: skip


@dataclass(frozen=True)
class InputConfig:
    """How messages are converted to controls. The joy tuples have one entry per component of a twist."""

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
    """Build the config from the values of all parameters by name. Raises InputError that names the parameter."""
    for name in ("input.joy.axes", "input.joy.scale"):
        if len(values[name]) != 6 or not np.isfinite(values[name]).all():
            raise InputError(name, list(values[name]), f"give six numbers: {_TWIST}")
    return InputConfig(
        camera_frame=plain_frame(str(values["frames.camera"])),
        tf_prefix=plain_frame(str(values["frames.tf_prefix"])),
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
    """Parse the parameter `input.priority`. Raises InputError for an unknown or repeated topic."""
    topics = [topic for topic in topics if topic]
    for topic in topics:
        if topic not in TOPICS or topics.count(topic) > 1:
            raise InputError("input.priority", f"'{topic}'", f"name each at most once: {', '.join(TOPICS)}")
    return tuple(TOPICS[topic] for topic in topics)


def _lines(lines: Any) -> tuple[str, ...]:
    return tuple(lines) if any(lines) else ()
