"""Straight pushes at the block, and what the simulator made of them: all that the learned policy knows of physics."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.tasks.pusht.geometry import ARENA_SIZE, CENTRE_OF_GRAVITY, OUTLINE, PUSHER_RADIUS, place
from lingbot_ros.tasks.pusht.simulator.push_plan import distance_to_tee
from lingbot_ros.tasks.pusht.simulator.simulator import PushTSimulator, PushTState

Floats = NDArray[np.float64]

REACHES = np.arange(-15.0, 95.1, 5.0)
"""How far the pusher's centre is beyond the place that a push aims at, units: where its effect is recorded."""

_ROOM = 8.0
"""Between pusher and block where a push begins, units."""
_SPREAD_RAD, _MOST_RAD = np.radians(28), 1.2
_STEP_UNITS = 8.0
_MIDDLE = np.array([ARENA_SIZE / 2, ARENA_SIZE / 2, 0.0])
_EDGES = np.roll(OUTLINE, -1, axis=0) - OUTLINE
_LENGTHS = np.linalg.norm(_EDGES, axis=1)


@dataclass(frozen=True)
class Pushes:
    """Straight pushes in the block's frame, float64 [n, 2] each, units: the place `at` on the outline that the pusher's
    centre would pass through, the `outward` normal there, the `along` direction of the push, and where it may `start`
    so that nothing is touched yet.
    """

    at: Floats
    outward: Floats
    along: Floats
    start: Floats

    def __len__(self) -> int:
        return len(self.at)

    def ends(self) -> Floats:
        """Where the pusher is at each of `REACHES`, [n, reaches, 2]."""
        return np.asarray(self.at[:, None] + REACHES[:, None] * self.along[:, None])


def draw_pushes(count: int, rng: np.random.Generator) -> Pushes:
    """`count` random pushes, central and glancing."""
    found = [_draw(2 * count, rng)]
    while sum(map(len, found)) < count:
        found.append(_draw(count, rng))
    arrays = (np.concatenate([getattr(part, name) for part in found])[:count] for name in _FIELDS)
    return Pushes(*arrays)


def _draw(count: int, rng: np.random.Generator) -> Pushes:
    """Those of `count` that have room to begin."""
    edge = rng.choice(len(_EDGES), size=count, p=_LENGTHS / _LENGTHS.sum())
    at = OUTLINE[edge] + rng.uniform(0.05, 0.95, (count, 1)) * _EDGES[edge]
    outward = np.stack([_EDGES[edge, 1], -_EDGES[edge, 0]], -1) / _LENGTHS[edge, None]
    turn = np.clip(rng.normal(0.0, _SPREAD_RAD, count), -_MOST_RAD, _MOST_RAD)
    cosine, sine = np.cos(turn), np.sin(turn)
    x, y = -outward.T
    along = np.stack([cosine * x - sine * y, sine * x + cosine * y], -1)
    start = at - along * ((PUSHER_RADIUS + _ROOM) / cosine)[:, None]
    clear = distance_to_tee(start, np.zeros(3)) > PUSHER_RADIUS + _ROOM / 2
    return Pushes(at[clear], outward[clear], along[clear], start[clear])


_FIELDS = ("at", "outward", "along", "start")


def try_pushes(pushes: Pushes) -> Iterator[Floats]:
    """What each does to a block in the open: [reaches, 3], the shift of its centre of gravity in the frame that it had,
    units, and its turn, radians.
    """
    simulator = PushTSimulator(counts_contacts=False)
    centre = place(CENTRE_OF_GRAVITY, _MIDDLE)
    for index in range(len(pushes)):
        simulator.reset(0)
        start, along = pushes.start[index] + _MIDDLE[:2], pushes.along[index]
        simulator.set_state(PushTState(start, np.zeros(2), _MIDDLE))
        length = float((pushes.at[index] - pushes.start[index]) @ along) + REACHES[-1]
        reached, poses = [0.0], [_MIDDLE]
        targets = start + along * np.append(np.arange(_STEP_UNITS, length, _STEP_UNITS), [length] * 3)[:, None]
        for x, y in targets.tolist():
            poses.append(np.array(simulator.advance((x, y))))
            reached.append(float((simulator.state.pusher - start) @ along))
        moved = np.array([[*(place(CENTRE_OF_GRAVITY, pose) - centre), pose[2]] for pose in poses])
        wanted = length - REACHES[-1] + REACHES
        yield np.stack([np.interp(wanted, reached, moved[:, axis]) for axis in range(3)], -1)
