"""What the planning expert does, seen as images: what policies that imitate it learn from."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.tasks.pusht.evaluation.planner import Planner
from lingbot_ros.tasks.pusht.evaluation.starts import FIRST_SEED, near_the_goal
from lingbot_ros.tasks.pusht.simulator.simulator import PushTSimulator, PushTState

CHUNK = 4
"""Actions that one image leads to."""

_STEPS = 48
_SOLVED = 0.97
_STROKES, _STROKES_SEED = 24, 0
_SHAKES_UNITS = (0.0, 8.0, 24.0)


@dataclass(frozen=True)
class Demonstrations:
    """images uint8 [n, 96, 96, 3] RGB; actions float32 [n, CHUNK, 2], what the expert sends next, simulator units."""

    images: NDArray[np.uint8]
    actions: NDArray[np.float32]


def demonstrate(episodes: int, seed: int) -> Iterator[Demonstrations]:
    """The demonstrations of each episode, from scenes that no evaluation starts in.

    The expert knows the true state. Its hand shakes in some episodes, so that there are images of what goes wrong and
    of how it is put right; the actions are what it meant to do.
    """
    simulator = PushTSimulator()
    for episode in range(episodes):
        rng = np.random.default_rng([seed, episode % FIRST_SEED, FIRST_SEED])
        simulator.reset(0)
        simulator.set_state(near_the_goal(rng))
        yield _episode(simulator, rng)


def _episode(simulator: PushTSimulator, rng: np.random.Generator) -> Demonstrations:
    shake = rng.choice(_SHAKES_UNITS)
    images, actions = list[NDArray[np.uint8]](), list[NDArray[np.float64]]()
    while len(images) * CHUNK < _STEPS and simulator.coverage() < _SOLVED:
        chunk = _meant(simulator.state)
        images.append(simulator.render())
        actions.append(chunk)
        for target in chunk + rng.normal(0.0, shake, chunk.shape):
            simulator.advance((target[0], target[1]))
    return Demonstrations(
        np.array(images, np.uint8).reshape(-1, 96, 96, 3), np.array(actions, np.float32).reshape(-1, CHUNK, 2)
    )


def _meant(state: PushTState) -> NDArray[np.float64]:
    """The expert's next targets [CHUNK, 2], which depend on the state alone.

    It tries the same strokes, seen from the block, every time: what was drawn at random could not be learned.
    """
    plan = Planner(np.random.default_rng(_STROKES_SEED), _STROKES).plan(state, np.empty((0, 2)))
    return np.vstack([plan.targets, np.tile(plan.targets[-1], (CHUNK, 1))])[:CHUNK]
