"""How a rigid shape moves so that every contact gets what it wants: the smallest motion, by its own inertia.

A contact has a way [3, B]: its normal, x and y, and its lever (how much a turn moves it along the normal, over the
gyration). It has a want [B] >= 0: how far it must move along the normal. Motions [3, B] are a shift and a turn times
the gyration. Several contacts are one more axis before the last.
"""

from functools import cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.model.rigid_layers.edges import Floats, Rows

_TOLERANCE_PX = 1e-4
_TINY = 1e-3
_WALL, _DISC, _WRONG = 1e3, 30.0, 1e12
"""What it costs to miss what a wall and a disc want, per pixel, and a motion that no such contacts cause."""


def pushed(way: Floats, want: Floats) -> Floats:
    """By one contact."""
    lever = way[2]
    return np.asarray(way * (want / (1 + lever * lever)))


def wedged(ways: Floats, wants: Floats) -> Floats:
    """By the two contacts [.., 2, B] of an inner corner: one push if it satisfies both, else both."""
    own = (ways * ways).sum(0)
    mutual = (ways[:, 0] * ways[:, 1]).sum(0)
    alone = wants / own
    is_enough = alone * mutual >= wants[::-1]
    determinant = np.maximum(own[0] * own[1] - mutual * mutual, 1e-6)
    both = np.maximum((own[::-1] * wants - mutual * wants[::-1]) / determinant, 0)
    first = np.where(is_enough[0], alone[0], np.where(is_enough[1], 0, both[0]))
    second = np.where(is_enough[0], 0, np.where(is_enough[1], alone[1], both[1]))
    return np.asarray(first * ways[:, 0] + second * ways[:, 1], np.float32)


def jammed(yields: int, ways: Floats, wants: Floats, touching: NDArray[np.bool_]) -> Floats:
    """By those of C contacts [C, B] that touch; nowhere where none does. Where they want too much, the first `yields`
    get less than the rest.

    A motion has three unknowns, so that the smallest one that satisfies all is determined by one, two or three of them:
    all of these are worked out, and the best is taken.
    """
    used = np.flatnonzero(touching.any(1))
    if not len(used):
        return np.zeros_like(ways[:, 0])
    ways, wants, touching = ways[:, used], wants[used], touching[used]
    prices = np.where(used < yields, _DISC, _WALL).astype(np.float32)
    found, unreal = [ways * (wants / np.maximum((ways * ways).sum(0), 1e-9))], [~touching]
    if len(used) > 1:
        a, b = _groups(len(used), 2)
        found.append(_by_two(ways[:, a], ways[:, b], wants[a], wants[b]))
        unreal.append(~(touching[a] & touching[b]))
    if len(used) > 2:
        a, b, c = _groups(len(used), 3)
        found.append(_by_three(ways[:, a], ways[:, b], ways[:, c], wants[a], wants[b], wants[c]))
        unreal.append(~(touching[a] & touching[b] & touching[c]))
    motions = np.concatenate(found, axis=1)
    x, y, turn = motions
    cost = x * x + y * y + turn * turn + np.concatenate(unreal) * np.float32(_WRONG)
    for way, want, price, touches in zip(ways.swapaxes(0, 1), wants, prices, touching, strict=True):
        missed = want - (way[0] * x + way[1] * y + way[2] * turn) - _TOLERANCE_PX
        cost += np.maximum(missed, 0) * (price * touches)
    return np.asarray(motions[:, cost.argmin(0), np.arange(cost.shape[1])])


@cache
def _groups(count: int, size: int) -> tuple[Rows, ...]:
    """Every choice of `size` among `count`: the first members, the second, ..."""
    return tuple(np.array(list(combinations(range(count), size))).T)


def _by_two(a: Floats, b: Floats, want_a: Floats, want_b: Floats) -> Floats:
    """The smallest motions that give two contacts just what they want."""
    aa, bb, ab = (a * a).sum(0), (b * b).sum(0), (a * b).sum(0)
    scale = _inverse(aa * bb - ab * ab)
    return np.asarray(a * ((bb * want_a - ab * want_b) * scale) + b * ((aa * want_b - ab * want_a) * scale))


def _by_three(a: Floats, b: Floats, c: Floats, want_a: Floats, want_b: Floats, want_c: Floats) -> Floats:
    """The motions that give three contacts just what they want."""
    bc, ca, ab = _cross(b, c), _cross(c, a), _cross(a, b)
    scale = _inverse((a * bc).sum(0))
    return np.asarray(bc * (want_a * scale) + ca * (want_b * scale) + ab * (want_c * scale))


def _cross(a: Floats, b: Floats) -> Floats:
    across = np.empty_like(a)
    across[0], across[1], across[2] = a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]
    return across


def _inverse(determinant: Floats) -> Floats:
    """0 where the determinant is so small that contacts want the same: fewer of them say what they say."""
    is_small = np.abs(determinant) < _TINY
    determinant[is_small] = np.inf
    return np.asarray(1 / determinant)
