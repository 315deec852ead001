"""Futures near the goal, in the simulator and, from the same start, in a world model's imagination."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.open_loop import imagine
from lingbot_ros.tasks.pusht.head_training.outcome_data import OutcomeData, near_goal_state
from lingbot_ros.tasks.pusht.simulator.simulator import PushTSimulator
from lingbot_ros.world.world import World

_CONTEXT = 4
_TRAINING_SEED = 10**6
"""Apart from those that a head is judged on."""


@dataclass(frozen=True)
class Futures:
    """N futures of H frames near the goal. imagined uint8 [N, 1 + H, 96, 96, 3], the first being the last real one.

    actions float32 [N, H, 2]; pusher float64 [N, H, 2] and coverage float32 [N, H] are the simulator's.
    """

    imagined: NDArray[np.uint8]
    actions: NDArray[np.float32]
    pusher: NDArray[np.float64]
    coverage: NDArray[np.float32]


def imagine_near_goal(world: World, episodes: int, seed: int, quiet: bool = True) -> Futures:
    """Push about near the goal, as far as the world is to be trusted. Raises InputError for one that is not."""
    horizon = world.info.max_horizon
    if horizon is None or horizon < 2:
        raise InputError("model", world.info.name, "its card must name a max_horizon of 2 or more")
    rng, simulator = np.random.default_rng([seed, 11]), PushTSimulator()
    imagined, actions, pusher, coverage = [], [], [], []
    for n in tqdm(range(episodes), unit="future", disable=quiet):
        simulator.set_state(near_goal_state(rng))
        frames, targets, states, covers = [simulator.render()], [], [simulator.state], []
        aim = simulator.state.pusher
        for _ in range(_CONTEXT - 1 + horizon):
            wanted = states[-1].block[:2] + rng.normal(size=2) * 60
            aim = np.clip(aim + 0.25 * (wanted - aim), 0, 512).astype(np.float32)
            states.append(simulator.step(aim))
            targets.append(aim)
            frames.append(simulator.render())
            covers.append(simulator.coverage())
        past, acted = np.stack(frames[:_CONTEXT]), np.array(targets, np.float32)
        future = imagine(world, past, acted[: _CONTEXT - 1], acted[_CONTEXT - 1 :], seed=n).frames
        imagined.append(np.concatenate([past[-1:], future]))
        actions.append(acted[_CONTEXT - 1 :])
        pusher.append([state.pusher for state in states[_CONTEXT:]])
        coverage.append(covers[_CONTEXT - 1 :])
    return Futures(np.stack(imagined), np.stack(actions), np.array(pusher), np.array(coverage, np.float32))


def imagined_outcomes(world: World, futures: int, seed: int, quiet: bool) -> OutcomeData:
    """Imagined images with the coverage that the simulator came to: what a head is shown, with what came true."""
    made = imagine_near_goal(world, futures, _TRAINING_SEED + seed, quiet)
    return OutcomeData(made.imagined[:, 1:].reshape(-1, *made.imagined.shape[2:]), made.coverage.reshape(-1))
