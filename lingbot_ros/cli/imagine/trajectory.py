"""The camera trajectory of `lingbot imagine`, checked completely before anything is started."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from geometry_msgs.msg import PoseStamped
from numpy.typing import NDArray
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Header

from lingbot_msgs.msg import RobotAction
from lingbot_ros.bridge.cameras import camera_info, camera_to_world_to_pose
from lingbot_ros.checkpoints.cards import ModelCard
from lingbot_ros.control.action_string import action_string_poses, parse_action_string
from lingbot_ros.control.camera import UNIT_STEP
from lingbot_ros.control.keys import move_keys, parse_key_script, script_poses
from lingbot_ros.control.poses import Poses, framewise_steps, interpolate_poses, longest_step
from lingbot_ros.control.rays import REFERENCE_SIZE, stretch_intrinsics
from lingbot_ros.control.scene_files import read_intrinsics, read_poses
from lingbot_ros.errors import InputError
from lingbot_ros.model.geometry import TEMPORAL_STRIDE
from lingbot_ros.runtime.intrinsics import pinhole_matrix


@dataclass(frozen=True)
class Trajectory:
    """poses: camera-to-world [n, 4, 4], of whole chunks, made of `given` poses. intrinsics: fx, fy, cx, cy in pixels
    of a frame of 832 x 480, None = the node's. unit_step: the longest translation between latent frames, by which the
    released pipeline divides; the default if the camera only turns. keys: w, a, s, d [n, 4] of models that take them.
    """

    poses: Poses
    given: int
    first_chunk: int
    later_chunks: int
    intrinsics: NDArray[np.float64] | None
    intrinsics_are: str
    unit_step: float
    keys: NDArray[np.float64] | None = None

    def text(self) -> str:
        """One line about the poses, unit step and intrinsics that are used."""
        chunks = 1 + (len(self.poses) - self.first_chunk) // self.later_chunks
        return (
            f"trajectory: {self.given} poses for {len(self.poses)} frames in {chunks} chunk{'s' if chunks > 1 else ''} "
            f"({self.first_chunk} frames, then {self.later_chunks}); unit step {self.unit_step:.4g}; "
            f"intrinsics: {self.intrinsics_are}"
        )

    def messages(self) -> list[PoseStamped]:
        """The poses of camera_link in the frame map."""
        return [PoseStamped(pose=camera_to_world_to_pose(pose)) for pose in self.poses]

    def key_messages(self) -> list[RobotAction]:
        """The keys of each frame; none for models that take none."""
        return [] if self.keys is None else [RobotAction(values=row) for row in self.keys.tolist()]

    def camera_info(self, height: int, width: int) -> CameraInfo:
        """The CameraInfo of a first image of this size in pixels; empty without intrinsics."""
        if self.intrinsics is None:
            return CameraInfo()
        fx, fy, cx, cy = stretch_intrinsics(self.intrinsics, REFERENCE_SIZE, (height, width)).tolist()
        return camera_info(pinhole_matrix((fx, fy, cx, cy)), height, width, Header())


def read_trajectory(args: argparse.Namespace, card: ModelCard) -> Trajectory:
    """Read --poses, --action-string or --keys, then --intrinsics and --frames. Raises InputError.

    Paths of a file or of an action string are spread over the latent frames, as in the released pipeline: their ends
    are the ends of the film. Keys drive in metres, and what fills no chunk is left out.
    """
    given = [name for name in ("poses", "action_string", "keys") if getattr(args, name)]
    if args.text_only:
        return _without_camera(args, card, given)
    if len(given) != 1:
        said = " and ".join(f"--{name.replace('_', '-')}" for name in given) or "none of them"
        fix = f"{card.name} is a camera model: give one of --poses FILE.npy, --action-string or --keys; or --text-only"
        raise InputError("--poses, --action-string, --keys", said, fix)
    intrinsics, how = None, "the node's (camera.intrinsics)" if card.intrinsics is None else "the model's"
    if args.intrinsics:
        intrinsics, how = read_intrinsics(args.intrinsics, "--intrinsics")
    first, later = chunk_frames(card)
    if args.keys:
        script = parse_key_script(args.keys)
        poses, keys = script_poses(script), move_keys(script)
        frames = _whole_frames(len(poses), args.frames, card, "--keys")
        pressed = keys[:frames] if card.control.takes_keys else None
        return Trajectory(poses[:frames], len(poses), first, later, intrinsics, how, UNIT_STEP, pressed)
    if card.control.takes_keys:
        raise InputError(
            f"--{given[0].replace('_', '-')}", getattr(args, given[0]), f"give --keys: {card.name} takes keys"
        )
    poses, field = _path(args)
    limited = poses if args.frames is None else poses[: args.frames]
    frames = _whole_frames(len(poses), args.frames, card, field)
    stride = later // card.stream.chunk
    # A file is cut to 4n + 1 poses. An action string has 4n + 2, which all count.
    count = len(limited) if args.action_string else (len(limited) - 1) // stride * stride + 1
    used = interpolate_poses(limited[:count], np.linspace(0, count - 1, frames))
    step = longest_step(framewise_steps(used[::stride]))
    return Trajectory(used, len(poses), first, later, intrinsics, how, step or UNIT_STEP)


def _without_camera(args: argparse.Namespace, card: ModelCard, given: Sequence[str]) -> Trajectory:
    """As many still poses as there are to be frames: of a clip all, else --frames."""
    for name in given:
        raise InputError(f"--{name.replace('_', '-')}", getattr(args, name), "leave it out: --text-only has no camera")
    first, later = chunk_frames(card)
    frames = args.frames if args.frames is not None or card.stream.window > card.stream.chunk else first
    if frames is None:
        raise InputError("--frames", "nothing", "with --text-only give the number of frames")
    poses = np.tile(np.eye(4), (_whole_frames(frames, None, card, "--frames"), 1, 1))
    return Trajectory(poses, frames, first, later, None, "none: no camera", UNIT_STEP)


def chunk_frames(card: ModelCard) -> tuple[int, int]:
    """Frames of the first chunk and of later ones: the first latent frame of a video encodes a single frame."""
    stride = TEMPORAL_STRIDE if card.autoencoder == "wan" else 1
    return stride * (card.stream.chunk - 1) + 1, stride * card.stream.chunk


def _path(args: argparse.Namespace) -> tuple[Poses, str]:
    if args.action_string:
        return action_string_poses(parse_action_string(args.action_string)), "--action-string"
    return read_poses(args.poses, "--poses"), "--poses"


def _whole_frames(poses: int, limit: int | None, card: ModelCard, field: str) -> int:
    """The frames of as many whole chunks as there are poses for."""
    if limit is not None and limit < 1:
        raise InputError("--frames", limit, "give a positive number of frames")
    first, later = chunk_frames(card)
    wanted = poses if limit is None else min(limit, poses)
    if wanted < first:
        field = field if poses < first else "--frames"
        raise InputError(field, f"{wanted} frames", f"give at least {first}, the first chunk of {card.name}")
    if card.stream.window == card.stream.chunk:  # one clip only
        return first
    return first + (wanted - first) // later * later
