"""Frames of motion: driven layers by their law, the others by the contacts that they come into."""

import torch
from torch import Tensor

from lingbot_ros.model.rigid_layers.constants import Constants
from lingbot_ros.model.rigid_layers.state import Bodies


def advance(constants: Constants, bodies: Bodies, targets: Tensor) -> Bodies:
    """The bodies a frame later. targets [B, driven, 2]: where the action draws the driven layers, pixels."""
    poses, velocity = _roll(constants, bodies, targets[:, None])
    moved = poses[:, 0]
    driven = targets.shape[1]
    pushed = moved[:, driven:, :2] - bodies.poses[:, driven:, :2]
    return Bodies(moved, torch.cat((velocity, pushed), dim=1), bodies.solids, bodies.centres)


def roll(constants: Constants, bodies: Bodies, targets: Tensor) -> Tensor:
    """Poses [B, T, K, 3] after each of T frames, the same as of `advance`. targets [B, T, driven, 2]."""
    return _roll(constants, bodies, targets)[0]


def _roll(constants: Constants, bodies: Bodies, targets: Tensor) -> tuple[Tensor, Tensor]:
    """And the velocities [B, driven, 2] of the driven layers after the last frame."""
    rows, frames, driven, _ = targets.shape
    layers, substeps = bodies.poses.shape[1], constants.config.substeps
    poses, paths = torch.empty(rows, frames, layers, 3), torch.empty(rows, frames, driven, substeps + 2, 2)
    position, velocity = bodies.poses[:, :driven, :2], bodies.velocities[:, :driven]
    for frame in range(frames):
        path = paths[:, frame]
        path[:, :, 0], path[:, :, 1] = position - velocity / substeps, position
        position, velocity, path[:, :, 2:] = constants.drive(position, velocity, targets[:, frame])
        poses[:, frame, :driven, :2] = position
    poses[:, :, :driven, 2] = bodies.poses[:, None, :driven, 2]
    still = bodies.poses[:, driven:], bodies.solids[:, driven:], bodies.centres[:, driven:]
    poses[:, :, driven:] = constants.contact(*still, paths)
    return poses, velocity
