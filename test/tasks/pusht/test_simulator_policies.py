"""Policies as they behave in the real simulator."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest

from lingbot_ros.tasks.pusht.geometry import GOAL_POSE, outline_at
from lingbot_ros.tasks.pusht.simulator.policies import (
    MIXTURE,
    GoalPush,
    Hesitant,
    Policy,
    RandomPush,
    RandomWalk,
    draw_policy,
)
from lingbot_ros.tasks.pusht.simulator.simulator import PushTSimulator, PushTState


@pytest.fixture(scope="module")
def simulator() -> PushTSimulator:
    return PushTSimulator()


@pytest.fixture(scope="module")
def planner() -> PushTSimulator:
    return PushTSimulator()


def drive(simulator: PushTSimulator, policy: Policy, seed: int, steps: int) -> Iterator[tuple[np.ndarray, PushTState]]:
    state = simulator.reset(seed)
    for _ in range(steps):
        target = policy.target(state)
        state = simulator.step(target)
        yield target, state


def goal_distance(state: PushTState) -> float:
    corners = outline_at(state.block) - outline_at(np.array(GOAL_POSE))
    return float(np.linalg.norm(corners, axis=1).mean())


@pytest.mark.parametrize("name", MIXTURE)
def test_targets_stay_in_the_arena_and_repeat_with_the_seed(
    name: str, simulator: PushTSimulator, planner: PushTSimulator
) -> None:
    runs = []
    for _ in range(2):
        planner.reset(0)
        policy = MIXTURE[name][1](np.random.default_rng(4), planner)
        runs.append(np.array([target for target, _ in drive(simulator, policy, seed=8, steps=60)]))
    np.testing.assert_array_equal(runs[0], runs[1])
    assert np.isfinite(runs[0]).all()
    assert runs[0].min() >= 0.0
    assert runs[0].max() <= 512.0


def test_random_push_touches_and_moves_the_block(simulator: PushTSimulator) -> None:
    for seed in range(5):
        states = [state for _, state in drive(simulator, RandomPush(np.random.default_rng(seed)), seed, 80)]
        assert sum(state.contact > 0 for state in states) >= 8
        assert np.abs(states[-1].block[:2] - states[0].block[:2]).max() > 5.0


def test_random_walk_moves_at_a_speed_the_pusher_can_follow(simulator: PushTSimulator) -> None:
    run = list(drive(simulator, RandomWalk(np.random.default_rng(1)), 1, 80))
    lag = [np.hypot(*(target - state.pusher)) for target, state in run]
    assert np.median(lag) < 60.0


def test_goal_push_brings_the_block_nearer_to_the_goal(simulator: PushTSimulator, planner: PushTSimulator) -> None:
    gained = []
    for seed in range(6):
        policy = GoalPush(np.random.default_rng(seed), 8, np.array(GOAL_POSE), planner)
        states = [state for _, state in drive(simulator, policy, seed, 120)]
        gained.append(goal_distance(states[0]) - min(goal_distance(state) for state in states))
    assert np.median(gained) > 40.0


def test_hesitant_holds_its_target_for_a_while(simulator: PushTSimulator) -> None:
    rng = np.random.default_rng(0)
    targets = [target for target, _ in drive(simulator, Hesitant(RandomWalk(rng), rng, chance=0.2), 0, 80)]
    still = [bool(np.array_equal(a, b)) for a, b in pairwise(targets)]
    assert 15 < sum(still) < 75


def test_every_policy_is_drawn_about_as_often_as_its_share(planner: PushTSimulator) -> None:
    rng = np.random.default_rng(0)
    names = [draw_policy(rng, planner)[0] for _ in range(2000)]
    assert sum(share for share, _ in MIXTURE.values()) == pytest.approx(1.0)
    for name, (share, _) in MIXTURE.items():
        assert names.count(name) / 2000 == pytest.approx(share, abs=0.04)
