"""Losses on the masks and motions of rigid layers, for data that has them; used in training only."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, smooth_l1_loss

from lingbot_ros.model.rigid_layers.rigid_layers import LayeredPrediction
from lingbot_ros.training.config import TrainConfig
from lingbot_ros.training.pool import Batch

TURN_RADIUS_PX = 12.0
"""How far a typical point of a thing is from its centre, pixels."""

PartReader = Callable[[Tensor], Tensor]
"""Images [n, 3, H, W] in -1..1, real or imagined -> whose each pixel is: [n, 1 + layers, H, W], the rest first."""


def layer_loss(layered: LayeredPrediction, batch: Batch, parts: PartReader | None, config: TrainConfig) -> Tensor:
    """How wrong the layers of a batch's frames are where the data knows better; 0 where it knows nothing."""
    loss = layered.motions.new_zeros(())
    if batch.motions is not None:
        known = batch.motions.to(loss.device).flatten(0, 1)
        loss = loss + config.motion_weight * motion_error(layered.motions, known)
    if parts is not None:
        previous = batch.condition[:, : batch.target.shape[1]].to(loss.device)
        owners = parts(previous.transpose(1, 2).flatten(0, 1))
        loss = loss + config.parts_weight * cross_entropy(layered.owners, owners)
    return loss


def motion_error(motions: Tensor, known: Tensor) -> Tensor:
    """Smooth L1 in pixels of motions [..., 3]; turns count by what they move a point `TURN_RADIUS_PX` away."""
    scale = torch.tensor((1.0, 1.0, TURN_RADIUS_PX), device=motions.device)
    return smooth_l1_loss(motions * scale, known * scale, beta=0.25)
