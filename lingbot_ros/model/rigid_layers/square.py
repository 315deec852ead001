"""Outlines whose corners are all square, as those of many made things are.

An image says where an edge is to a tenth of a pixel, and so which way a short one faces to a degree or two. Edges that
are known to face one of two ways say it together, ten times as well; and the way that an edge faces decides which way a
push turns.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.model.rigid_layers.polygon import Floats

_NEARLY_RAD = np.radians(12.0)
"""An edge that faces a square way but for this may be meant to."""
_MOSTLY = 0.9
"""Of the length of an outline: so much must face a square way."""


@dataclass(frozen=True)
class SquareOutline:
    """Edges [V] in order that lie along x and along y by turns after a turn by `angle`.

    offsets [V]: the y of edges along x, the x of edges along y; `begins_along_x`: which way the first edge lies. The
    first corner is where the last edge meets the first one.
    """

    angle: float
    offsets: Floats
    begins_along_x: bool

    @property
    def unknowns(self) -> int:
        """How many numbers decide the outline, 2 V do for a free one."""
        return 1 + len(self.offsets)

    @property
    def outline(self) -> Floats:
        """The corners [V, 2]."""
        cosine, sine = np.cos(self.angle), np.sin(self.angle)
        return self._corners() @ np.array([[cosine, sine], [-sine, cosine]])

    def freedom(self) -> Floats:
        """Derivatives [2 V, unknowns] of the corners by the angle and the offsets."""
        count = len(self.offsets)
        cosine, sine = np.cos(self.angle), np.sin(self.angle)
        by = np.zeros((count, 2, 1 + count))
        corners = self.outline
        by[:, 0, 0], by[:, 1, 0] = -corners[:, 1], corners[:, 0]
        along_x = self._along_x()
        ways = np.where(along_x[:, None], (-sine, cosine), (cosine, sine))  # what moves when an offset grows
        index = np.arange(count)
        by[index, :, 1 + index] = ways
        by[(index + 1) % count, :, 1 + index] = ways
        return by.reshape(2 * count, 1 + count)

    def moved(self, step: Floats) -> "SquareOutline":
        """With `step` [unknowns] added."""
        return SquareOutline(self.angle + float(step[0]), self.offsets + step[1:], self.begins_along_x)

    def _along_x(self) -> NDArray[np.bool_]:
        return (np.arange(len(self.offsets)) % 2 == 0) == self.begins_along_x

    def _corners(self) -> Floats:
        before = np.roll(self.offsets, 1)
        along_x = self._along_x()
        return np.stack([np.where(along_x, before, self.offsets), np.where(along_x, self.offsets, before)], -1)


def square_outline(outline: Floats) -> SquareOutline | None:
    """The square outline that `outline` [V, 2] is nearly; None where it is not."""
    edges = np.roll(outline, -1, 0) - outline
    lengths, ways = np.linalg.norm(edges, axis=-1), np.arctan2(edges[:, 1], edges[:, 0])
    angle = float(np.angle((lengths * np.exp(4j * ways)).sum()) / 4)
    quarters = (ways - angle) / (np.pi / 2)
    quarter = np.rint(quarters).astype(int) % 4
    faces = np.abs(quarters - np.rint(quarters)) * (np.pi / 2) < _NEARLY_RAD
    if lengths[faces].sum() < _MOSTLY * lengths.sum():
        return None
    cosine, sine = np.cos(angle), np.sin(angle)
    middles = (outline + edges / 2) @ np.array([[cosine, -sine], [sine, cosine]])
    sides: list[tuple[int, float, float]] = []  # which quarter, length, length times offset
    for index in np.flatnonzero(faces):
        offset = middles[index, 1] if quarter[index] % 2 == 0 else middles[index, 0]
        side = int(quarter[index]), float(lengths[index]), float(lengths[index] * offset)
        if sides and sides[-1][0] == side[0]:
            side = side[0], sides[-1][1] + side[1], sides.pop()[2] + side[2]
        sides.append(side)
    if len(sides) > 1 and sides[0][0] == sides[-1][0]:
        last = sides.pop()
        sides[0] = sides[0][0], sides[0][1] + last[1], sides[0][2] + last[2]
    turns = {(after[0] - before[0]) % 4 for before, after in zip(sides, sides[1:] + sides[:1], strict=True)}
    if len(sides) < 4 or not turns <= {1, 3}:
        return None
    return SquareOutline(angle, np.array([weighted / length for _, length, weighted in sides]), sides[0][0] % 2 == 0)
