"""One frame of motion: driven layers by their law, the others by the contacts that they come into."""

import torch
from torch import Tensor

from lingbot_ros.model.rigid_layers.constants import Constants
from lingbot_ros.model.rigid_layers.state import Bodies


def advance(constants: Constants, bodies: Bodies, targets: Tensor) -> Bodies:
    """The bodies a frame later. targets [B, driven, 2]: where the action draws the driven layers, pixels."""
    driven = targets.shape[1]
    poses, velocities = bodies.poses.clone(), bodies.velocities.clone()
    for mover in range(driven):
        before, speed = bodies.poses[:, mover, :2], bodies.velocities[:, mover]
        after, velocity, way = constants.drive(before, speed, targets[:, mover])
        path = torch.cat(((before - speed / constants.config.substeps)[:, None], before[:, None], way), dim=1)
        poses[:, mover, :2], velocities[:, mover] = after, velocity
        for layer in range(driven, poses.shape[1]):
            pushed = constants.contact(poses[:, layer], bodies.solids[:, layer], bodies.centres[:, layer], path)
            velocities[:, layer] = pushed[:, :2] - bodies.poses[:, layer, :2]
            poses[:, layer] = pushed
    return Bodies(poses, velocities, bodies.solids, bodies.centres)
