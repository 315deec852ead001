"""Control messages -> controls, checked where they come in."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from geometry_msgs.msg import PoseStamped
from numpy.typing import NDArray

from lingbot_msgs.msg import RobotAction
from lingbot_ros.bridge.cameras import pose_to_camera_to_world
from lingbot_ros.bridge.stamps import to_nanoseconds
from lingbot_ros.checkpoints.cards import ControlSpec
from lingbot_ros.control.actions import check_actions
from lingbot_ros.control.frames import FrameGraph
from lingbot_ros.control.mappings import require_action, require_camera
from lingbot_ros.control.motion import with_keys
from lingbot_ros.errors import InputError
from lingbot_ros.runtime.enums import ControlSource
from lingbot_ros.runtime.records import Control


def actions_to_controls(
    actions: Sequence[RobotAction],
    spec: ControlSpec,
    source: ControlSource,
    *,
    received_s: float,
    received_ns: int,
    field: str = "actions",
) -> list[Control]:
    """One control per message, in order. A zero stamp becomes `received_ns`.

    Raises InputError naming the message, the component, its value and what is accepted; LingbotError (UNSUPPORTED) when
    the model is not driven by actions.
    """
    require_action(spec, field)
    for index, action in enumerate(actions):
        if len(action.values) != spec.dim:
            names = ", ".join(spec.names)
            raise InputError(f"{field}[{index}].values", f"{len(action.values)} numbers", f"give {spec.dim}: {names}")
    values = check_actions(np.array([action.values for action in actions]), len(actions), spec)
    return [
        Control(
            values=row,
            source=source,
            received_s=received_s,
            id=action.id,
            stamp_ns=to_nanoseconds(action.header.stamp) or received_ns,
        )
        for action, row in zip(actions, values, strict=True)
    ]


def poses_to_controls(
    poses: Sequence[PoseStamped],
    spec: ControlSpec,
    source: ControlSource,
    *,
    frames: FrameGraph,
    map_frame: str,
    received_s: float,
    received_ns: int,
    field: str = "camera_poses",
) -> list[Control]:
    """As `actions_to_controls`, for poses of camera_link in a frame that `frames` knows; no frame id means the map."""
    require_camera(spec, field)
    controls = []
    for index, pose in enumerate(poses):
        name = f"{field}[{index}]" if field == "camera_poses" else field
        stamp_ns, frame_id = to_nanoseconds(pose.header.stamp), pose.header.frame_id or map_frame
        to_map = frames.lookup(map_frame, frame_id, f"{name}.header.frame_id", stamp_ns)
        controls.append(
            Control(
                values=to_map @ pose_to_camera_to_world(pose.pose, f"{name}.pose"),
                source=source,
                received_s=received_s,
                stamp_ns=stamp_ns or received_ns,
            )
        )
    return controls


def _keys(actions: Sequence[RobotAction], spec: ControlSpec) -> NDArray[np.float64]:
    """Keys [n, 4] of 0 and 1. Raises InputError naming the action that holds something else."""
    for index, action in enumerate(actions):
        if len(action.values) != len(spec.names) or not set(action.values) <= {0.0, 1.0}:
            fix = f"give {', '.join(spec.names)}: 1 if pressed, else 0"
            raise InputError(f"actions[{index}].values", list(action.values)[:8], fix)
    return np.array([action.values for action in actions], np.float64)


def trajectory_to_controls(
    actions: Sequence[RobotAction],
    poses: Sequence[PoseStamped],
    spec: ControlSpec,
    source: ControlSource,
    *,
    frames: FrameGraph,
    map_frame: str,
    received_s: float,
    received_ns: int,
) -> list[Control]:
    """The one of both that is given, or for models with keys both, one of each per frame.

    Raises InputError when what the model takes is not what is given.
    """
    if spec.takes_keys:
        if not poses or len(actions) != len(poses):
            fix = (
                f"this model takes a pose and an action ({', '.join(spec.names)}) for each frame: give as many of both"
            )
            raise InputError("actions, camera_poses", f"{len(actions)} and {len(poses)}", fix)
        keys = _keys(actions, spec)
        controls = poses_to_controls(
            poses, spec, source, frames=frames, map_frame=map_frame, received_s=received_s, received_ns=received_ns
        )
        return [
            replace(control, values=with_keys(control.values, row), id=action.id)
            for control, row, action in zip(controls, keys, actions, strict=True)
        ]
    if bool(actions) == bool(poses):
        given = "both" if actions else "none"
        wanted = "actions" if spec.kind == "action" else "camera_poses"
        raise InputError("actions, camera_poses", given, f"give {wanted} for this model, and only these")
    if actions:
        return actions_to_controls(actions, spec, source, received_s=received_s, received_ns=received_ns)
    return poses_to_controls(
        poses, spec, source, frames=frames, map_frame=map_frame, received_s=received_s, received_ns=received_ns
    )
