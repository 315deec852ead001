"""The same world a little different, again and again: how far its copies part tells how far it can be believed.

An outline and a pose are read from images to a fraction of a pixel. Where a push amplifies that fraction, copies that
differ by it end up in different places; where it does not, they stay together.
"""

from dataclasses import dataclass, replace
from functools import cache

import torch
from torch import Tensor

from lingbot_ros.model.rigid_layers.constants import Constants
from lingbot_ros.model.rigid_layers.motion import advance, roll
from lingbot_ros.model.rigid_layers.state import Bodies, Variants

_OUTLINE = 1.5
_TURN = 0.5
"""How surely an outline's corner and a turn are read, in units of how surely a position is (`Constants.blur`)."""


def around(constants: Constants, bodies: Bodies) -> Variants:
    """Copies of worlds that were just seen, each read a little otherwise. Driven layers are read right."""
    config, unsure = constants.config, constants.blur
    noise = _noise(config.variants, config.layers, config.corners)
    is_moved = (torch.arange(config.layers) >= config.driven)[:, None]
    turn_rad = _TURN * unsure / _gyration(constants, config.driven)
    doubt = torch.stack((unsure.expand_as(turn_rad), unsure.expand_as(turn_rad), turn_rad), dim=-1)
    poses = bodies.poses[:, None] + noise.poses * doubt * is_moved
    # Corners that repeat the last one must go on doing so.
    repeats = (bodies.solids[:, :, 1:] == bodies.solids[:, :, :-1]).all(-1)
    last = (~repeats).sum(-1)[:, None, :, None].clamp_max(config.corners - 1)
    which = torch.arange(config.corners).minimum(last).expand(-1, config.variants, -1, -1)
    jitter = noise.corners.expand(len(poses), -1, -1, -1, -1).gather(3, which[..., None].expand(-1, -1, -1, -1, 2))
    solids = bodies.solids[:, None] + jitter * (_OUTLINE * unsure) * is_moved[..., None]
    centres = bodies.centres[:, None] + noise.centres * unsure * is_moved
    return Variants(poses, solids, centres, _spread(constants, bodies.poses, poses))


def advance_all(constants: Constants, bodies: Bodies, variants: Variants, targets: Tensor) -> tuple[Bodies, Variants]:
    """Worlds and their copies a frame later, by one motion of them all; see `motion.advance`."""
    worlds, copies = variants.poses.shape[:2]
    if not copies:
        return advance(constants, bodies, targets), variants
    moved = advance(constants, _with_copies(bodies, variants), _for_all(targets, copies))
    mine = Bodies(moved.poses[:worlds], moved.velocities[:worlds], bodies.solids, bodies.centres)
    poses = moved.poses[worlds:].unflatten(0, (worlds, copies))
    spread = torch.maximum(variants.spread_px, _spread(constants, mine.poses, poses))
    return mine, Variants(poses, variants.solids, variants.centres, spread)


def roll_all(constants: Constants, bodies: Bodies, variants: Variants, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Poses [B, T, K, 3] of worlds after each of T frames and `spread_px` [B, T] then, the same as of `advance_all`.

    targets [B, T, driven, 2], see `motion.roll`.
    """
    worlds, copies = variants.poses.shape[:2]
    poses = roll(constants, _with_copies(bodies, variants), _for_all(targets, copies))
    mine, theirs = poses[:worlds], poses[worlds:].unflatten(0, (worlds, copies)).transpose(1, 2)
    spreads = torch.cat((variants.spread_px[:, None], _spread(constants, mine, theirs)), dim=1)
    return mine, spreads.cummax(dim=1).values[:, 1:]


def _with_copies(bodies: Bodies, variants: Variants) -> Bodies:
    """Worlds [B, ...], and below them all their copies [B M, ...]."""
    copies = variants.poses.shape[1]
    return Bodies(
        torch.cat((bodies.poses, variants.poses.flatten(0, 1))),
        _for_all(bodies.velocities, copies),
        torch.cat((bodies.solids, variants.solids.flatten(0, 1))),
        torch.cat((bodies.centres, variants.centres.flatten(0, 1))),
    )


def _for_all(values: Tensor, copies: int) -> Tensor:
    """What worlds [B, ...] share with their copies, as many rows as `_with_copies` has."""
    return torch.cat((values, values.repeat_interleave(copies, 0)))


def not_understood(variants: Variants) -> Variants:
    """The same copies, of worlds that real images did not fit."""
    return replace(variants, spread_px=torch.full_like(variants.spread_px, torch.inf))


def _spread(constants: Constants, poses: Tensor, copies: Tensor) -> Tensor:
    """Of the moved layer whose copies [..., M, K, 3] are farthest from poses [..., K, 3], pixels; 0 without copies."""
    apart = (copies - poses[..., None, :, :])[..., constants.config.driven :, :]
    gyration = _gyration(constants)
    apart = apart * torch.stack((torch.ones_like(gyration), torch.ones_like(gyration), gyration), dim=-1)
    return apart.square().sum(-1).mean(-2).nan_to_num().amax(-1).sqrt()


def _gyration(constants: Constants, before: int = 0) -> Tensor:
    """That of all shapes [], or of each of them after so many layers that never turn [before + K]."""
    gyration = constants.contact.gyration
    return gyration if gyration.ndim == 0 else torch.cat((gyration.new_ones(before), gyration))


@dataclass(frozen=True)
class _Noise:
    """Standard normal numbers, the same in every world and run: poses [M, K, 3], corners [1, M, K, V, 2], centres."""

    poses: Tensor
    corners: Tensor
    centres: Tensor


@cache
def _noise(copies: int, layers: int, corners: int) -> _Noise:
    generator = torch.Generator().manual_seed(0)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator)

    return _Noise(draw(copies, layers, 3), draw(1, copies, layers, corners, 2), draw(copies, layers, 2))
