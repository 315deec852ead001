"""Losses on the masks and motions of rigid layers, for data that has them; used in training only."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import log_softmax, smooth_l1_loss

from lingbot_ros.model.rigid_layers.rigid_layers import LayeredPrediction
from lingbot_ros.training.config import TrainConfig
from lingbot_ros.training.pool import Batch

TURN_RADIUS_PX = 12.0
"""How far a typical point of a thing is from its centre, pixels."""

_LEAST_SIZE = 1e-4
"""Share of an image."""

_ELSEWHERE, _SAME = 0.4, 0.7
"""Overlap (intersection over union) of a thing with the true one."""

PartReader = Callable[[Tensor], Tensor]
"""Images [n, 3, H, W] in -1..1, real or imagined -> whose each pixel is: [n, 1 + layers, H, W], the rest first."""


def agreement(batch: Batch, parts: PartReader) -> Tensor:
    """How much each frame's past, which the model may have imagined, is that of the data: [B, 1, L, 1, 1] in 0..1.

    By the overlap of every layer with the true one; 1 from `_SAME` on, 0 up to `_ELSEWHERE`. Where a thing is elsewhere
    by now, the true next frame is no consequence of the past, and a model that is taught it learns to fade things out.
    """
    channels = batch.target.shape[1]
    imagined = batch.condition[:, :channels, 1:].transpose(1, 2).flatten(0, 1)
    real = batch.target[:, :, :-1].transpose(1, 2).flatten(0, 1)
    mine, true = parts(imagined)[:, 1:], parts(real)[:, 1:]
    both, either = torch.minimum(mine, true).sum((2, 3)), torch.maximum(mine, true).sum((2, 3))
    least = (both / either.clamp_min(1e-6)).masked_fill(either < 1, 1.0).amin(1).unflatten(0, (len(batch.target), -1))
    known = ((least - _ELSEWHERE) / (_SAME - _ELSEWHERE)).clamp(0, 1)
    return torch.cat((torch.ones_like(known[:, :1]), known), dim=1)[:, None, :, None, None]


def layer_loss(
    layered: LayeredPrediction, batch: Batch, parts: PartReader | None, known_share: Tensor, config: TrainConfig
) -> Tensor:
    """How wrong the layers of a batch's frames are where the data knows better; 0 where it knows nothing.

    `known_share` [B, 1, L, 1, 1] of `agreement`.
    """
    loss = layered.motions.new_zeros(())
    if batch.motions is not None:
        known = batch.motions.to(loss.device).flatten(0, 1)
        loss = loss + config.motion_weight * motion_error(layered.motions, known, known_share.flatten()[:, None, None])
    if parts is not None:
        previous = batch.condition[:, : batch.target.shape[1]].to(loss.device)
        owners = parts(previous.transpose(1, 2).flatten(0, 1))
        loss = loss + config.parts_weight * owner_loss(layered.owners, owners)
    return loss


def owner_loss(logits: Tensor, owners: Tensor) -> Tensor:
    """Cross-entropy of whose a pixel is, both [n, parts, H, W]; a part counts by the root of its size.

    By its size the smallest hardly counts, and may fade away in twenty frames.
    """
    size = owners.mean(dim=(0, 2, 3)).clamp_min(_LEAST_SIZE)
    weight = size.rsqrt() / size.sqrt().sum()
    return -(owners * log_softmax(logits, dim=1) * weight[:, None, None]).sum(dim=1).mean()


def motion_error(motions: Tensor, known: Tensor, weight: Tensor) -> Tensor:
    """Smooth L1 in pixels of motions [n, layers, 3], each frame by its weight; turns count by what they move a point
    `TURN_RADIUS_PX` away."""
    scale = torch.tensor((1.0, 1.0, TURN_RADIUS_PX), device=motions.device)
    return (weight * smooth_l1_loss(motions * scale, known * scale, beta=0.25, reduction="none")).mean()
