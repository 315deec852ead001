"""The nearest place of a polygon compiled to machine code by numba; see `polygon.nearest`, which calls it."""

import math

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.model.rigid_layers.compiled import keeping

Floats = NDArray[np.float64]

_ON_EDGE = 1e-3
"""What is nearer to an edge than this is led away from it along its normal."""


@keeping("void(float64[:,:], float64[:,:], float64[::1], float64[:,::1], int64[::1], float64[::1])")
def find_nearest(
    points: Floats, outline: Floats, distance: Floats, gradient: Floats, edge: NDArray[np.int64], along: Floats
) -> None:
    """Fill in the last four, the fields of `polygon.Nearest`, for points [N, 2] and a closed polygon [V, 2]."""
    count = len(outline)
    for i in range(len(points)):
        nearest, least, share, is_inside = 0, np.inf, 0.0, False
        away_x, away_y = 0.0, 0.0
        for j in range(count):
            following = j + 1 if j + 1 < count else 0
            edge_x, edge_y = outline[following, 0] - outline[j, 0], outline[following, 1] - outline[j, 1]
            x, y = points[i, 0] - outline[j, 0], points[i, 1] - outline[j, 1]
            part = (x * edge_x + y * edge_y) / max(edge_x * edge_x + edge_y * edge_y, 1e-12)
            part = min(max(part, 0.0), 1.0)
            apart_x, apart_y = x - part * edge_x, y - part * edge_y
            squared = apart_x * apart_x + apart_y * apart_y
            if squared < least:
                nearest, least, share, away_x, away_y = j, squared, part, apart_x, apart_y
            # A ray from a point inside crosses the polygon an odd number of times.
            if (y >= 0) != (y >= edge_y) and (x * edge_y < y * edge_x) == (edge_y > 0):
                is_inside = not is_inside
        signed = math.sqrt(max(least, 1e-12)) * (-1.0 if is_inside else 1.0)
        distance[i], edge[i], along[i] = signed, nearest, share
        if abs(signed) > _ON_EDGE:
            gradient[i, 0], gradient[i, 1] = away_x / signed, away_y / signed
        else:
            following = nearest + 1 if nearest + 1 < count else 0
            edge_x = outline[following, 0] - outline[nearest, 0]
            edge_y = outline[following, 1] - outline[nearest, 1]
            length = max(math.sqrt(max(edge_x * edge_x + edge_y * edge_y, 1e-12)), 1e-9)
            gradient[i, 0], gradient[i, 1] = edge_y / length, -edge_x / length
