"""Where and how to push the T: a straight stroke through a point of its outline, and a way round to its start."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.tasks.pusht.geometry import ARENA_SIZE, CENTRE_OF_GRAVITY, OUTLINE, PUSHER_RADIUS, place

Points = NDArray[np.float64]

# Far enough from the centre of gravity that the pusher passes the farthest corner (76 units) with room to spare.
_DETOUR_RADIUS = 104.0
_CLEARANCE = PUSHER_RADIUS + 4.0
_EDGE_MARGIN = 16.0

_EDGES = np.roll(OUTLINE, -1, axis=0) - OUTLINE
_EDGE_LENGTHS = np.linalg.norm(_EDGES, axis=1)


@dataclass(frozen=True)
class Stroke:
    """A straight push from `start` to `end` [2], simulator units; touches the T on the way if nothing moves before."""

    start: Points
    end: Points

    def targets(self, speed: float) -> Iterator[Points]:
        """Targets from `start` to `end`, `speed` units apart."""
        return walk(np.stack([self.start, self.end]), speed)


def random_stroke(block: Points, rng: np.random.Generator) -> Stroke:
    """A stroke at a random point of the T at pose `block` [3], central or glancing, that starts inside the arena."""
    for _ in range(50):
        edge = rng.choice(len(_EDGES), p=_EDGE_LENGTHS / _EDGE_LENGTHS.sum())
        along = _EDGES[edge] / _EDGE_LENGTHS[edge]
        contact = OUTLINE[edge] + rng.uniform(0.05, 0.95) * _EDGES[edge]
        outward = np.array([along[1], -along[0]])
        turn = float(np.clip(rng.normal(0.0, np.radians(28)), -1.2, 1.2))
        inward = np.array(
            [
                -outward[0] * np.cos(turn) + outward[1] * np.sin(turn),
                -outward[0] * np.sin(turn) - outward[1] * np.cos(turn),
            ]
        )
        start = contact - inward * (PUSHER_RADIUS + rng.uniform(6.0, 30.0))
        end = contact + inward * rng.uniform(15.0, 150.0)
        stroke = Stroke(place(start, block), np.clip(place(end, block), _EDGE_MARGIN, ARENA_SIZE - _EDGE_MARGIN))
        inside = (stroke.start > _EDGE_MARGIN).all() and (stroke.start < ARENA_SIZE - _EDGE_MARGIN).all()
        # In the T's inner corners the way back from one edge leads into another.
        if inside and distance_to_tee(stroke.start[None], block)[0] > PUSHER_RADIUS + 2.0:
            return stroke
    centre = place(CENTRE_OF_GRAVITY, block)
    return Stroke(np.full(2, ARENA_SIZE / 2), centre)


def way_round(begin: Points, end: Points, block: Points) -> Points:
    """A path [n, 2] from `begin` to `end` that goes round the T at `block` [3] where the straight line would hit it."""
    if distance_to_tee(np.linspace(begin, end, 24)[1:-1], block).min() > _CLEARANCE:
        return np.stack([begin, end])
    centre = place(CENTRE_OF_GRAVITY, block)
    first, last = (np.arctan2(*(point - centre)[::-1]) for point in (begin, end))
    sweep = (last - first + np.pi) % (2 * np.pi) - np.pi
    angles = first + np.linspace(0.0, sweep, max(2, int(abs(sweep) / 0.5) + 1))
    circle = centre + _DETOUR_RADIUS * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    return np.vstack([begin, np.clip(circle, _EDGE_MARGIN, ARENA_SIZE - _EDGE_MARGIN), end])


def walk(path: Points, speed: float) -> Iterator[Points]:
    """Points `speed` units apart along `path` [n, 2], without its first and with its last point."""
    lengths = np.linalg.norm(np.diff(path, axis=0), axis=1)
    travelled = np.concatenate([[0.0], np.cumsum(lengths)])
    distances = np.append(np.arange(speed, travelled[-1], speed), travelled[-1])
    yield from np.stack([np.interp(distances, travelled, path[:, axis]) for axis in (0, 1)], axis=-1)


def distance_to_tee(points: Points, block: Points) -> Points:
    """Distance [n] of `points` [n, 2] from the T at pose `block` [3], 0 inside; simulator units."""
    cosine, sine = np.cos(block[2]), np.sin(block[2])
    relative = points - block[:2]
    local = np.stack(
        [cosine * relative[:, 0] + sine * relative[:, 1], -sine * relative[:, 0] + cosine * relative[:, 1]], axis=-1
    )
    return np.minimum(_distance_to_box(local, (-60, 0), (60, 30)), _distance_to_box(local, (-15, 30), (15, 120)))


def _distance_to_box(points: Points, low: tuple[float, float], high: tuple[float, float]) -> Points:
    outside = np.maximum(np.maximum(np.array(low) - points, points - np.array(high)), 0.0)
    return np.asarray(np.linalg.norm(outside, axis=-1))
