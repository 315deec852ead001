"""Where discs touch outlines, for many at once: numpy, float32, rows last.

A sum or a minimum over the few edges of a row is then one fast pass over all rows, and numpy's small operations cost a
third of torch's.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Rows = NDArray[np.intp]

_TINY = 1e-9
_SAME_SIDE = 0.7
"""Places whose outward directions have a greater cosine than this are one contact."""


@dataclass(frozen=True)
class Contacts:
    """Of points with an outline: the nearest place, and how near one is on a side that faces another way.

    distance [B]: signed, negative inside; outward [2, B]: x and y of the direction from the outline to the point;
    second [B]: the distance of the other place, which is there in an inner corner; infinite where there is no such
    place on whose outer side the point lies. `all_second` [V, B] has the distances of its candidates, `apart` [2, V, B]
    what leads from them to the point.
    """

    distance: Floats
    outward: Floats
    second: Floats
    all_second: Floats
    apart: Floats

    def outward_of_second(self, rows: Rows) -> Floats:
        """The direction [2, n] from the other place of some rows; 0 where there is none."""
        which = self.all_second[:, rows].argmin(0)
        return np.asarray(self.apart[:, which, rows] / self.second[rows])


class Edges:
    """The edges of outlines [2, V, B] (x and y, corners, rows), ready to be asked many times."""

    def __init__(self, outline: Floats) -> None:
        self._start = outline
        self._edge = np.roll(outline, -1, 1) - outline
        self._share = self._edge / np.maximum((self._edge * self._edge).sum(0), _TINY)
        self._goes_down = self._edge[1] > 0

    def select(self, rows: Rows) -> "Edges":
        """Those of some rows [n] alone."""
        chosen = object.__new__(Edges)
        for name, values in vars(self).items():
            setattr(chosen, name, values[..., rows])
        return chosen

    def distance(self, points: Floats) -> Floats:
        """Signed distance [B] of points [2, B]; exact."""
        offset, apart, outside = self._to_edges(points)
        distance = np.sqrt((apart[0] * apart[0] + apart[1] * apart[1]).min(0))
        return np.where(self._is_inside(offset[1], outside), -distance, distance)

    def contacts(self, points: Floats) -> Contacts:
        """Where discs at points [2, B] would touch."""
        offset, apart, outside = self._to_edges(points)
        squares = apart * apart
        distances = np.sqrt(np.maximum(squares[0] + squares[1], _TINY))
        nearest = distances.argmin(0) * points.shape[1] + np.arange(points.shape[1])
        near, near_apart = distances.take(nearest), apart.reshape(2, -1).take(nearest, 1)
        alike = apart * near_apart[:, None]
        other = outside & (alike[0] + alike[1] <= _SAME_SIDE * near * distances)
        all_second = np.where(other, distances, np.float32(np.inf))
        signed = np.where(self._is_inside(offset[1], outside), -near, near)
        return Contacts(signed, near_apart / signed, all_second.min(0), all_second, apart)

    def _to_edges(self, points: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
        """From every edge's start to the points [2, V, B], from the nearest places, and which are outside [V, B]."""
        offset = points[:, None] - self._start
        shares = offset * self._share
        along = shares[0] + shares[1]
        np.maximum(along, 0, out=along)
        np.minimum(along, 1, out=along)
        across = offset[::-1] * self._edge
        outside = across[0] < across[1]
        return offset, offset - along * self._edge, outside

    def _is_inside(self, height: Floats, outside: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Whether a ray from a point crosses the outline an odd number of times, [B]."""
        crosses = (height >= 0) != (height >= self._edge[1])
        return np.asarray(np.logical_xor.reduce(crosses & (outside != self._goes_down), axis=0))
