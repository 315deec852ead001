"""What the depth network is told: measured distances where there are any, else that images of a drive must match.

Some views are given with holes, in which only what another view saw is known, colours and distances. There the network
learns to continue what is known. Where nothing was measured its own distances of the whole image are the target.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from lingbot_ros.model.scene.depth_network import FARTHEST, NEAREST, DepthNetwork, condition, view_rays
from lingbot_ros.training.scene.photometric import photometric_loss
from lingbot_ros.training.scene.views import Views, changed_colours, seen_from_other

_NEAREST_M = 0.01
_OWN = 0.1
"""Weight of the network's own distances as the target. With more they move the network more than the images do."""


@dataclass(frozen=True)
class Predictor:
    """A network on views. `bf16`: computed in 16 bits."""

    network: DepthNetwork
    bf16: bool

    def disparity(self, views: Views, colour: Tensor, known: Tensor, distance_known: Tensor) -> Tensor:
        """[B, 1, H, W] in 1/m, from colours 0..1 [B, 3, H, W] where `known` and the depth of `views` where that is."""
        rays = view_rays(views.intrinsics, *colour.shape[-2:])
        inputs = condition(colour, known, 1 / views.depth.clamp(min=_NEAREST_M), distance_known, rays)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            predicted: Tensor = self.network(inputs)
        return predicted

    def of_whole(self, views: Views, colour: Tensor) -> Tensor:
        """[B, 1, H, W] in 1/m of images without holes, by their colours alone."""
        everything = torch.ones_like(colour[:, :1])
        return self.disparity(views, colour, everything, 0 * everything)


def depth_loss(predictor: Predictor, views: Views, holes: float, progress: float, rng: np.random.Generator) -> Tensor:
    """The mean loss of a batch. `holes`: the share of views with holes; `progress`: that of the run which is done."""
    colour = changed_colours(views.colour.float() / 255, rng)
    with_holes = torch.from_numpy(rng.random(len(colour)) < holes)
    measured = views.measured
    total = colour.new_zeros(())
    for rows, loss in ((measured, _supervised), (~measured, _photometric)):
        if rows.any():
            part = loss(predictor, views.rows(rows), colour[rows], with_holes[rows], holes, progress)
            total = total + part * rows.float().mean()
    return total


def _supervised(
    predictor: Predictor, views: Views, colour: Tensor, with_holes: Tensor, holes: float, progress: float
) -> Tensor:
    in_holes = with_holes.float()[:, None, None, None]
    seen = seen_from_other(views)
    known = seen * in_holes + 1 - in_holes
    disparity = predictor.disparity(views, colour, known, seen * in_holes)
    there = (views.depth > 0).float()
    true = (1 / views.depth.clamp(min=_NEAREST_M)).clamp(FARTHEST, NEAREST)
    return _log_error(disparity, true, there) + holes * _log_error(disparity, true, there * (1 - known))


def _photometric(
    predictor: Predictor, views: Views, colour: Tensor, with_holes: Tensor, holes: float, progress: float
) -> Tensor:
    disparity = predictor.of_whole(views, colour)
    loss = photometric_loss(disparity, views, progress)
    if not with_holes.any():
        return loss
    target = disparity.detach()[with_holes]
    views, colour = views.rows(with_holes), colour[with_holes]
    with torch.no_grad():
        elsewhere = predictor.of_whole(views, views.other_colour.float() / 255)
    views = replace(views, depth=1 / target, other_depth=1 / elsewhere)
    seen = seen_from_other(views)
    guess = predictor.disparity(views, colour, seen, seen)
    everything = torch.ones_like(seen)
    own = _log_error(guess, target, everything) + holes * _log_error(guess, target, 1 - seen)
    return loss + _OWN * own * with_holes.float().mean()


def _log_error(disparity: Tensor, true: Tensor, where: Tensor) -> Tensor:
    """Mean absolute logarithm of the ratio, over the pixels `where`; 0 without any."""
    return ((disparity / true).log().abs() * where).sum() / where.sum().clamp(min=1)
