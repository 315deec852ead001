"""What drives the pusher when data is made: wandering, pushing at random, pushing to the goal, and doing it badly.

A model that has seen only success imagines success, so most of these are not good at the task. All are cheap enough
that drawing the images, not deciding, takes the time. Every policy draws from the generator it is given alone.
"""

from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.tasks.pusht.geometry import ARENA_SIZE, GOAL_POSE, outline_at
from lingbot_ros.tasks.pusht.simulator.push_plan import Stroke, random_stroke, walk, way_round
from lingbot_ros.tasks.pusht.simulator.simulator import PushTSimulator, PushTState

Target = NDArray[np.float64]


class Policy(Protocol):
    """Maps what is to where the pusher should go next: [2], simulator units."""

    def target(self, state: PushTState) -> Target: ...


class RandomWalk:
    """A smooth wandering target that turns back at the walls; meets the block by chance."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._velocity = rng.normal(0.0, 12.0, 2)
        self._spread = rng.uniform(3.0, 9.0)
        self._target: Target | None = None

    def target(self, state: PushTState) -> Target:
        if self._target is None:
            self._target = state.pusher.copy()
        self._velocity = 0.93 * self._velocity + self._rng.normal(0.0, self._spread, 2)
        self._target = self._target + self._velocity
        beyond = (self._target < 20.0) | (self._target > ARENA_SIZE - 20.0)
        self._velocity[beyond] *= -1.0
        self._target = np.clip(self._target, 20.0, ARENA_SIZE - 20.0)
        return self._target


class RandomPush:
    """Goes behind the block, pushes through it at a random place, angle and speed, and begins anew."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._plan: Iterator[Target] = iter(())

    def target(self, state: PushTState) -> Target:
        planned = next(self._plan, None)
        if planned is None:
            self._plan = self._strokes(state)
            planned = next(self._plan)
        return planned

    def _strokes(self, state: PushTState) -> Iterator[Target]:
        stroke, speed = self._choose(state)
        yield from walk(way_round(state.pusher, stroke.start, state.block), self._rng.uniform(14.0, 36.0))
        yield from stroke.targets(speed)
        for _ in range(self._rng.integers(0, 4)):
            yield stroke.end

    def _choose(self, state: PushTState) -> tuple[Stroke, float]:
        return random_stroke(state.block, self._rng), float(np.exp(self._rng.uniform(np.log(3.5), np.log(30.0))))


class GoalPush(RandomPush):
    """The expert: tries several random pushes in a second simulator and makes the one that ends nearest the goal."""

    def __init__(self, rng: np.random.Generator, trials: int, goal: Target, planner: PushTSimulator) -> None:
        super().__init__(rng)
        self._trials, self._goal_corners, self._planner = trials, outline_at(goal), planner

    def _choose(self, state: PushTState) -> tuple[Stroke, float]:
        if self._cost(state) < 4.0:
            return super()._choose(state)
        best_cost, best = np.inf, super()._choose(state)
        for _ in range(self._trials):
            stroke, speed = random_stroke(state.block, self._rng), self._rng.uniform(8.0, 24.0)
            cost, end = self._try(stroke, speed, state)
            if cost < best_cost:
                best_cost, best = cost, (Stroke(stroke.start, end), speed)
        return best

    def _try(self, stroke: Stroke, speed: float, state: PushTState) -> tuple[float, Target]:
        """The lowest cost on the way of `stroke`, and the target at which it is reached."""
        self._planner.set_state(PushTState(stroke.start, np.zeros(2), state.block))
        outcomes = [(self._cost(self._planner.step(target)), target) for target in stroke.targets(speed)]
        return min(outcomes, key=lambda outcome: outcome[0])

    def _cost(self, state: PushTState) -> float:
        """Mean distance of the T's corners from where the goal has them."""
        return float(np.linalg.norm(outline_at(state.block) - self._goal_corners, axis=1).mean())


class Jumps:
    """Adversarial: leaps to places anywhere, often onto the block, and stays there for a moment."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._left = 0
        self._target: Target = np.zeros(2)

    def target(self, state: PushTState) -> Target:
        if self._left == 0:
            self._left = int(self._rng.integers(2, 9))
            on_block = outline_at(state.block)[self._rng.integers(8)] + self._rng.normal(0.0, 25.0, 2)
            self._target = on_block if self._rng.random() < 0.5 else self._rng.uniform(0.0, ARENA_SIZE, 2)
        self._left -= 1
        return np.clip(self._target, 0.0, ARENA_SIZE)


class Noisy:
    """Another policy with a shaking hand: every target is moved by Gaussian noise of `spread` units."""

    def __init__(self, policy: Policy, rng: np.random.Generator, spread: float) -> None:
        self._policy, self._rng, self._spread = policy, rng, spread

    def target(self, state: PushTState) -> Target:
        return np.clip(self._policy.target(state) + self._rng.normal(0.0, self._spread, 2), 0.0, ARENA_SIZE)


class Hesitant:
    """Another policy that now and then holds its last target for some steps, in contact or not."""

    def __init__(self, policy: Policy, rng: np.random.Generator, chance: float = 0.05) -> None:
        self._policy, self._rng, self._chance = policy, rng, chance
        self._left = 0
        self._held: Target | None = None

    def target(self, state: PushTState) -> Target:
        if self._left == 0 and self._held is not None and self._rng.random() < self._chance:
            self._left = int(self._rng.integers(4, 16))
        if self._left > 0 and self._held is not None:
            self._left -= 1
            return self._held
        self._held = self._policy.target(state)
        return self._held


def _goal_push(rng: np.random.Generator, planner: PushTSimulator) -> Policy:
    elsewhere = np.array([*rng.uniform(160, 352, 2), rng.uniform(-np.pi, np.pi)])
    goal = np.array(GOAL_POSE) if rng.random() < 0.7 else elsewhere
    return GoalPush(rng, int(rng.integers(3, 11)), goal, planner)


Maker = Callable[[np.random.Generator, PushTSimulator], Policy]

MIXTURE: dict[str, tuple[float, Maker]] = {
    "random-walk": (0.08, lambda rng, planner: RandomWalk(rng)),
    "random-push": (0.30, lambda rng, planner: RandomPush(rng)),
    "random-push-noisy": (0.10, lambda rng, planner: Noisy(RandomPush(rng), rng, rng.uniform(2.0, 12.0))),
    "random-push-hesitant": (0.08, lambda rng, planner: Hesitant(RandomPush(rng), rng)),
    "goal-push": (0.24, _goal_push),
    "goal-push-noisy": (0.14, lambda rng, planner: Noisy(_goal_push(rng, planner), rng, rng.uniform(2.0, 12.0))),
    "jumps": (0.06, lambda rng, planner: Jumps(rng)),
}
"""Share of episodes and maker of each policy that training data is drawn from."""

POLICY_NAMES = tuple(MIXTURE)


def draw_policy(rng: np.random.Generator, planner: PushTSimulator) -> tuple[str, Policy]:
    """A policy drawn by the shares of `MIXTURE`: its name and a new instance, which may disturb `planner`."""
    name = POLICY_NAMES[rng.choice(len(POLICY_NAMES), p=[share for share, _ in MIXTURE.values()])]
    return name, MIXTURE[name][1](rng, planner)
