"""What a person holds on the page -> the controls of one chunk."""

import numpy as np
from geometry_msgs.msg import PoseStamped

from lingbot_msgs.msg import FrameInfo, ModelInfo, RobotAction, SessionControls
from lingbot_ros.bridge.cameras import camera_to_world_to_pose, pose_to_camera_to_world
from lingbot_ros.bridge.model_messages import control_spec
from lingbot_ros.bridge.velocities import keys_values
from lingbot_ros.control.motion import motion_of
from lingbot_ros.errors import InputError
from lingbot_ros.viewer.messages import Drive

# Those of the node's parameters input.keys.*, by default.
_SPEED_M_PER_S, _TURN_RAD_PER_S = 0.8, 0.56


def chunk_controls(model: ModelInfo, last: FrameInfo | None, drive: Drive | None, frames: int) -> SessionControls:
    """The controls of the next `frames` frames of a session whose last frame is `last`.

    Nothing held: an action model keeps its last action, a camera stays where it is. Raises InputError for a wrong
    number of values or for keys that the model does not take.
    """
    spec = control_spec(model)
    motion = motion_of(spec, model.fps)
    if spec.kind == "action":
        return SessionControls(actions=[RobotAction(values=_action(model, last, drive))] * frames)
    pose = motion.rest()
    if last is not None and last.has_camera_pose:
        pose = pose_to_camera_to_world(last.camera_pose, "camera_pose")
    rates = keys_values(drive.keys if drive else "", _SPEED_M_PER_S, _TURN_RAD_PER_S)
    poses = []
    for _ in range(frames):
        pose = motion.advance(pose, rates, level=True)
        poses.append(PoseStamped(pose=camera_to_world_to_pose(pose)))
    return SessionControls(camera_poses=poses)


def action_values(model: ModelInfo, drive: Drive) -> list[float]:
    """The action that is held, within the model's limits. Raises InputError for a wrong number of values."""
    if len(drive.values) != model.control_dim:
        names = ", ".join(model.control_names)
        raise InputError("values", f"{len(drive.values)} numbers", f"send {model.control_dim}: {names}")
    values = np.array(drive.values)
    if len(model.control_low):
        values = np.clip(values, model.control_low, model.control_high)
    return [float(value) for value in values]


def _action(model: ModelInfo, last: FrameInfo | None, drive: Drive | None) -> list[float]:
    if drive is not None and drive.values:
        return action_values(model, drive)
    if last is not None and len(last.control):
        return [float(value) for value in last.control]
    return [float(value) for value in motion_of(control_spec(model), model.fps).rest()]
