"""Goals by the field's protocol: a state that an expert's trajectory reaches some steps later."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lingbot_ros.tasks.pusht.evaluation.starts import FIRST_SEED
from lingbot_ros.tasks.pusht.geometry import GOAL_POSE
from lingbot_ros.tasks.pusht.planning.pose_cost import Poses, near
from lingbot_ros.tasks.pusht.simulator.policies import GoalPush, Noisy, Policy
from lingbot_ros.tasks.pusht.simulator.simulator import PushTSimulator, PushTState

_SEEDS_APART = 1_000_000
_TRIALS = 8
_NOISE = 4.0
_WARM_UP, LENGTH = 8, 120


@dataclass(frozen=True)
class Goal:
    """From `start` to `state`, which the expert reached by `actions` [n, 2]; both with images uint8 [96, 96, 3]."""

    name: str
    start: PushTState
    image: np.ndarray
    state: PushTState
    goal_image: np.ndarray
    actions: np.ndarray


def make_goals(count: int, seed: int, steps: int = 25) -> Iterator[Goal]:
    """`count` goals, each of an episode of its own that no training saw; the same for equal seeds.

    The expert pushes the block to gym-pusht's goal, in half of the episodes with a shaking hand. The start is a random
    moment of the episode, the goal the state `steps` later. Windows in which nothing has to be done are left out.
    """
    simulator, planner, found = PushTSimulator(), PushTSimulator(), 0
    episode = first_episode(seed)
    while found < count:
        goal = _goal_of(simulator, planner, episode, steps)
        if goal is not None:
            yield goal
            found += 1
        episode += 1


def reached(state: PushTState, goal: PushTState) -> bool:
    """The protocol's success, from true states."""
    return near(Poses(state.pusher, state.block), Poses(goal.pusher, goal.block))


def first_episode(seed: int) -> int:
    """The seed of the first episode that has a goal of `seed`."""
    return FIRST_SEED + seed * _SEEDS_APART + _SEEDS_APART // 2


def begins(steps: int) -> range:
    """The frames of an expert's episode at which a window of `steps` can begin."""
    return range(_WARM_UP, LENGTH - steps)


def expert(planner: PushTSimulator, rng: np.random.Generator) -> Policy:
    """Pushes to gym-pusht's goal, half of the time with a shaking hand. planner: where it tries its pushes."""
    policy = GoalPush(rng, _TRIALS, np.array(GOAL_POSE), planner)
    return Noisy(policy, rng, _NOISE) if rng.random() < 0.5 else policy


def _goal_of(simulator: PushTSimulator, planner: PushTSimulator, episode: int, steps: int) -> Goal | None:
    rng = np.random.default_rng(episode)
    simulator.reset(episode)
    policy, possible = expert(planner, rng), begins(steps)
    begin = possible[int(rng.integers(len(possible)))]
    for _ in range(begin):
        simulator.step(policy.target(simulator.state))
    start, image = simulator.state, simulator.render()
    actions = []
    for _ in range(steps):
        actions.append(policy.target(simulator.state))
        simulator.step(actions[-1])
    state = simulator.state
    if reached(start, state):
        return None
    return Goal(f"seed-{episode}", start, image, state, simulator.render(), np.clip(np.array(actions), 0.0, 512.0))
