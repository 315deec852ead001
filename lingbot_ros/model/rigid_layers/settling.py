"""How a rigid shape moves so that every contact gets what it wants: the smallest motion, by its own inertia.

A contact has a normal [2, B], a lever [B] (how much a turn moves it along the normal, over the gyration) and a want
[B] >= 0: how far it must move along the normal. Motions are a shift [2, B] and a turn times the gyration [B]. Several
contacts are one more axis before the last.
"""

from functools import cache
from itertools import combinations

import torch
from torch import Tensor

_TOLERANCE_PX = 1e-4
_TINY = 1e-3
_WALL, _DISC, _WRONG = 1e3, 30.0, 1e12
"""What it costs to miss what a wall and a disc want, per pixel, and a motion that no such contacts cause."""


def pushed(normal: Tensor, lever: Tensor, want: Tensor) -> tuple[Tensor, Tensor]:
    """By one contact."""
    push = want / (1 + lever * lever)
    return push * normal, push * lever


def wedged(normals: Tensor, levers: Tensor, wants: Tensor) -> tuple[Tensor, Tensor]:
    """By the two contacts [.., 2, B] of an inner corner: one push if it satisfies both, else both."""
    own = 1 + levers * levers
    mutual = (normals[:, 0] * normals[:, 1]).sum(0) + levers[0] * levers[1]
    alone = wants / own
    is_enough = alone * mutual >= wants.flip(0)
    determinant = (own[0] * own[1] - mutual * mutual).clamp_min(1e-6)
    both = ((own.flip(0) * wants - mutual * wants.flip(0)) / determinant).clamp_min(0)
    first = torch.where(is_enough[0], alone[0], both[0] * ~is_enough[1])
    second = torch.where(is_enough[0], 0.0, torch.where(is_enough[1], alone[1], both[1]))
    return first * normals[:, 0] + second * normals[:, 1], first * levers[0] + second * levers[1]


def jammed(yields: int, normals: Tensor, levers: Tensor, wants: Tensor, touching: Tensor) -> tuple[Tensor, Tensor]:
    """By those of C contacts that touch, [C, B]. Where they want too much, the first `yields` get less than the rest.

    A motion has three unknowns, so that the smallest one that satisfies all is determined by one, two or three of them:
    all of these are worked out, and the best is taken.
    """
    used = touching.any(1).nonzero()[:, 0]
    ways = torch.cat((normals[:, used], levers[None, used]))
    wants, touching = wants[used], touching[used]
    price = torch.where(used < yields, _DISC, _WALL)[:, None, None]
    found, members = [ways * (wants / ways.square().sum(0))], [torch.arange(len(used))[None]]
    if len(used) > 1:
        members.append(_groups(len(used), 2))
        found.append(_by_two(ways, wants, *members[1]))
    if len(used) > 2:
        members.append(_groups(len(used), 3))
        found.append(_by_three(ways, wants, *members[2]))
    motions = torch.cat(found, dim=1)
    missed = (wants[:, None] - (ways[:, :, None] * motions[:, None]).sum(0) - _TOLERANCE_PX).clamp_min(0)
    unreal = torch.cat([(~touching[group]).any(0) for group in members])
    cost = (missed * touching[:, None] * price).sum(0) + motions.square().sum(0) + unreal * _WRONG
    best = cost.nan_to_num(_WRONG).argmin(0)
    motion = motions.gather(1, best.expand(3, 1, -1))[:, 0]
    return motion[:2], motion[2]


@cache
def _groups(count: int, size: int) -> Tensor:
    """Every choice of `size` among `count`, [size, choices]."""
    return torch.tensor(list(combinations(range(count), size))).T.contiguous()


def _by_two(ways: Tensor, wants: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """The smallest motions [3, choices, B] that give two contacts just what they want."""
    a, b = ways[:, first], ways[:, second]
    want_a, want_b = wants[first], wants[second]
    aa, bb, ab = a.square().sum(0), b.square().sum(0), (a * b).sum(0)
    determinant = _away_from_0(aa * bb - ab * ab)
    return a * ((bb * want_a - ab * want_b) / determinant) + b * ((aa * want_b - ab * want_a) / determinant)


def _by_three(ways: Tensor, wants: Tensor, first: Tensor, second: Tensor, third: Tensor) -> Tensor:
    """The motions [3, choices, B] that give three contacts just what they want."""
    a, b, c = ways[:, first], ways[:, second], ways[:, third]
    bc, ca, ab = torch.linalg.cross(b, c, dim=0), torch.linalg.cross(c, a, dim=0), torch.linalg.cross(a, b, dim=0)
    determinant = _away_from_0((a * bc).sum(0))
    return (bc * wants[first] + ca * wants[second] + ab * wants[third]) / determinant


def _away_from_0(determinant: Tensor) -> Tensor:
    """Infinite where it is so small that contacts want the same: fewer of them say what they say."""
    return torch.where(determinant.abs() < _TINY, torch.inf, determinant)
