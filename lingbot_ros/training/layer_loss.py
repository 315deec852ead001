"""Losses on the masks and motions of rigid layers, for data that has them; used in training only."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import smooth_l1_loss

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
        loss = loss + config.parts_weight * owner_loss(layered.owners, owners)
    return loss


def owner_loss(logits: Tensor, owners: Tensor) -> Tensor:
    """Cross-entropy of whose each pixel is; logits and shares [F, 1 + K, H, W].

    A layer counts by the square root of its size. By its size alone a disc of 25 pixels of 9,216 hardly counts, and its
    mask stays blurred; by one over its size it would be cut too large.
    """
    share = owners.mean(dim=(0, 2, 3)).clamp_min(1e-4)
    weight = share.rsqrt() / share.sqrt().sum()
    each = -(owners * logits.log_softmax(dim=1)).mean(dim=(0, 2, 3))
    return (weight * each).sum()


def motion_error(motions: Tensor, known: Tensor) -> Tensor:
    """Smooth L1 in pixels of motions [..., 3]; turns count by what they move a point `TURN_RADIUS_PX` away."""
    scale = torch.tensor((1.0, 1.0, TURN_RADIUS_PX), device=motions.device)
    return smooth_l1_loss(motions * scale, known * scale, beta=0.25)
