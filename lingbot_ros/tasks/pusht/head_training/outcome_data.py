"""Images with their true coverage, dense where success is decided: near the goal.

Episodes hardly ever end within 0.95 of the goal, so scenes are placed rather than played.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.tasks.pusht.heads.outcome import SUCCESS_COVERAGE
from lingbot_ros.tasks.pusht.simulator.simulator import PushTSimulator, PushTState

GOAL = np.array([256.0, 256.0, np.pi / 4])
"""The goal's pose in gym-pusht: x, y, angle."""

_FAR_SHARE = 0.25
_SPREADS = (1.5, 4.0, 12.0, 40.0)


@dataclass(frozen=True)
class OutcomeData:
    """frames uint8 [N, 96, 96, 3]; coverage float32 [N], 0..1."""

    frames: NDArray[np.uint8]
    coverage: NDArray[np.float32]

    @property
    def success(self) -> NDArray[np.bool_]:
        return self.coverage > SUCCESS_COVERAGE


def joined(first: OutcomeData, second: OutcomeData) -> OutcomeData:
    """Both, one after the other."""
    return OutcomeData(np.concatenate((first.frames, second.frames)), np.concatenate((first.coverage, second.coverage)))


def near_goal_state(rng: np.random.Generator) -> PushTState:
    """A scene with the block at one of several distances from the goal, and the pusher somewhere."""
    spread = _SPREADS[rng.integers(len(_SPREADS))]
    block = GOAL + rng.normal(size=3) * np.array([spread, spread, spread / 100])
    return PushTState(_pusher(rng, block), np.zeros(2), block)


def make_outcomes(count: int, seed: int) -> OutcomeData:
    """`count` scenes that depend on `seed` alone."""
    rng, simulator = np.random.default_rng([seed, 7]), PushTSimulator()
    frames, coverage = np.empty((count, 96, 96, 3), np.uint8), np.empty(count, np.float32)
    for n in range(count):
        if rng.random() < _FAR_SHARE:
            block = np.array([*rng.uniform(90, 420, 2), rng.uniform(-np.pi, np.pi)])
            state = PushTState(_pusher(rng, block), np.zeros(2), block)
        else:
            state = near_goal_state(rng)
        simulator.set_state(state)
        frames[n], coverage[n] = simulator.render(), simulator.coverage()
    return OutcomeData(frames, coverage)


def _pusher(rng: np.random.Generator, block: NDArray[np.float64]) -> NDArray[np.float64]:
    """Half of the time close to the block, where it hides part of it."""
    place = block[:2] + rng.normal(size=2) * 80 if rng.random() < 0.5 else rng.uniform(20, 492, 2)
    return np.clip(place, 15, 497)
