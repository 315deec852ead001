"""Goals as far from their starts as those of the published benchmark, so that success rates can be compared with it."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped]

from lingbot_ros.planning.futures import Floats
from lingbot_ros.tasks.pusht.geometry import ARENA_SIZE
from lingbot_ros.tasks.pusht.planning.goals import LENGTH, Goal, begins, expert, first_episode
from lingbot_ros.tasks.pusht.planning.pose_cost import MOST_ANGLE, MOST_POSITION
from lingbot_ros.tasks.pusht.simulator.simulator import PushTSimulator, PushTState

PERCENT = (10, 25, 50, 75, 90)
DISTANCES = (80.0, 97.0, 130.0, 170.0, 228.0)
"""Percentiles of the distance of pusher and block together, units, over the 100 pairs of start and goal in CLEAR-LeWM's
manifest `pusht/official-seed42-n100`."""
TURNS_DEG = (0.0, 2.0, 12.0, 43.0, 64.0)
"""Those of the block's turn."""

_EPISODES_PER_GOAL = 2


@dataclass(frozen=True)
class _Played:
    """An expert's episode: states [LENGTH + 1] and the actions [LENGTH, 2] between them."""

    seed: int
    states: tuple[PushTState, ...]
    actions: Floats


def make_matched_goals(count: int, seed: int, steps: int = 25) -> Iterator[Goal]:
    """As `make_goals`, but of each episode the window is taken that makes all goals together fit the published ones.

    Distances and turns are those of `wanted`; twice as many episodes as goals are played, and windows are assigned to
    them so that the sum of all differences (units and degrees) is least. Nothing is yielded before all were played.
    """
    simulator, planner = PushTSimulator(), PushTSimulator()
    first = first_episode(seed)
    episodes = [_play(simulator, planner, first + number) for number in range(_EPISODES_PER_GOAL * count)]
    far, turned = (np.array(values) for values in zip(*(apart(one.states, steps) for one in episodes), strict=True))
    nothing_to_do = (far < MOST_POSITION) & (turned < np.rad2deg(MOST_ANGLE))
    costs, where = [], []
    for distance, turn in wanted(count, seed):
        misses = np.where(nothing_to_do, 1e6, np.abs(far - distance) + np.abs(turned - turn))
        where.append(misses.argmin(1))
        costs.append(misses.min(1))
    for goal, episode in zip(*linear_sum_assignment(np.array(costs)), strict=True):
        yield _goal(simulator, episodes[episode], begins(steps)[where[goal][episode]], steps)


def wanted(count: int, seed: int) -> Floats:
    """Distances in units and turns in degrees, [count, 2], spread evenly over the published percentiles.

    They are paired at random, because the publication does not say which go together. Beyond the outer percentiles
    there is nothing published, and the outer values are taken.
    """
    shares = 100 * (np.arange(count) + 0.5) / count
    turns = np.random.default_rng(seed).permutation(shares)
    return np.stack((np.interp(shares, PERCENT, DISTANCES), np.interp(turns, PERCENT, TURNS_DEG)), axis=1)


def apart(states: tuple[PushTState, ...], steps: int) -> tuple[Floats, Floats]:
    """How far, in units, and by what turn, in degrees, each window of an episode leads: [windows] both."""
    placed = np.array([[*state.pusher, *state.block] for state in states])
    moved = (placed[steps:] - placed[:-steps])[begins(steps)]
    turn = (moved[:, 4] + np.pi) % (2 * np.pi) - np.pi
    return np.linalg.norm(moved[:, :4], axis=1), np.abs(np.rad2deg(turn))


def _play(simulator: PushTSimulator, planner: PushTSimulator, episode: int) -> _Played:
    rng = np.random.default_rng(episode)
    simulator.reset(episode)
    policy = expert(planner, rng)
    states, actions = [simulator.state], []
    for _ in range(LENGTH):
        actions.append(policy.target(states[-1]))
        states.append(simulator.step(actions[-1]))
    return _Played(episode, tuple(states), np.array(actions))


def _goal(simulator: PushTSimulator, episode: _Played, begin: int, steps: int) -> Goal:
    start, state = episode.states[begin], episode.states[begin + steps]
    images = []
    for shown in (start, state):
        simulator.reset(0)  # as every trial begins: the restored angle is rounded by what it was before
        simulator.set_state(shown)
        images.append(simulator.render())
    actions = np.clip(episode.actions[begin : begin + steps], 0.0, ARENA_SIZE)
    return Goal(f"seed-{episode.seed}", start, images[0], state, images[1], actions)
