"""One episode: a scene, a policy drawn for it, and everything that happened, as arrays.

The seed decides all of it, and its last digit decides what it may be used for: 0-7 training, 8 validation while
training, 9 the report on the finished model. Two splits therefore never share a scene, whatever was asked for.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.errors import InputError
from lingbot_ros.tasks.pusht.geometry import IMAGE_SIZE
from lingbot_ros.tasks.pusht.simulator.policies import POLICY_NAMES, draw_policy
from lingbot_ros.tasks.pusht.simulator.simulator import PushTSimulator

SPLIT_DIGITS: dict[str, tuple[int, ...]] = {"train": (0, 1, 2, 3, 4, 5, 6, 7), "validation": (8,), "test": (9,)}
_SEEDS_PER_BASE = 10_000_000


def episode_seed(split: str, base_seed: int, index: int) -> int:
    """The seed of episode `index` of a split; different base seeds share none."""
    if split not in SPLIT_DIGITS:
        raise InputError("split", split, f"choose one of {', '.join(SPLIT_DIGITS)}")
    if base_seed < 0 or not 0 <= index < 1_000_000:
        raise InputError("seed", base_seed, "give a base seed of 0 or more and at most 1000000 episodes")
    digits = SPLIT_DIGITS[split]
    return base_seed * _SEEDS_PER_BASE + (index // len(digits)) * 10 + digits[index % len(digits)]


@dataclass(frozen=True)
class Episode:
    """What happened in T steps; index t of a state array is before action t, so it has T + 1 entries.

    frames uint8 [T+1, 96, 96, 3] RGB; actions float32 [T, 2] = pusher targets; pusher, pusher_velocity float32
    [T+1, 2]; block float32 [T+1, 3] = x, y, angle; all in simulator units (per second) and radians.
    contact uint8 [T] = physics substeps (of 10) of step t with the pusher on the block.
    """

    seed: int
    policy: int
    frames: NDArray[np.uint8]
    actions: NDArray[np.float32]
    pusher: NDArray[np.float32]
    pusher_velocity: NDArray[np.float32]
    block: NDArray[np.float32]
    contact: NDArray[np.uint8]


class EpisodeMaker:
    """Makes episodes; keeps its simulators between them, which changes nothing in what it makes."""

    def __init__(self) -> None:
        self._simulator, self._planner = PushTSimulator(), PushTSimulator()

    def make(self, seed: int, steps: int) -> Episode:
        """The episode of `seed` with `steps` actions: the same bytes wherever and in whatever order it is made."""
        rng = np.random.default_rng([seed, 1])
        state = self._simulator.reset(seed)
        self._planner.reset(seed)
        name, policy = draw_policy(rng, self._planner)

        frames = np.empty((steps + 1, IMAGE_SIZE, IMAGE_SIZE, 3), np.uint8)
        actions, states = np.empty((steps, 2), np.float32), [state]
        frames[0] = self._simulator.render()
        for t in range(steps):
            actions[t] = policy.target(state)
            state = self._simulator.step(actions[t])
            frames[t + 1] = self._simulator.render()
            states.append(state)
        return Episode(
            seed=seed,
            policy=POLICY_NAMES.index(name),
            frames=frames,
            actions=actions,
            pusher=np.array([s.pusher for s in states], np.float32),
            pusher_velocity=np.array([s.pusher_velocity for s in states], np.float32),
            block=np.array([s.block for s in states], np.float32),
            contact=np.array([s.contact for s in states[1:]], np.uint8),
        )
