"""Graded policies that see images alone: a planning expert, worse hands for it, and some that cannot succeed.

`make_policy` is the entry point of `config/policies/pusht.yaml`.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.policies.contract import Actions, Observation, Policy
from lingbot_ros.tasks.pusht.evaluation.eyes import Eyes
from lingbot_ros.tasks.pusht.evaluation.hands import Hand
from lingbot_ros.tasks.pusht.evaluation.planner import Planner
from lingbot_ros.tasks.pusht.geometry import ARENA_SIZE, GOAL_POSE
from lingbot_ros.tasks.pusht.simulator.push_plan import random_stroke, walk, way_round
from lingbot_ros.tasks.pusht.simulator.simulator import PushTState

Floats = NDArray[np.float64]

_SAME_PLACE = 14.0
_CHUNK = 4
_MARGIN = 16.0


class Planning:
    """Plans by the simulator's physics from what it reads, every `replan_steps`; `hand` carries the plan out."""

    def __init__(self, strokes: int, replan_steps: int, goal: Floats, hand: Callable[[np.random.Generator], Hand]):
        self._strokes, self._replan_steps, self._goal, self._make_hand = strokes, replan_steps, goal, hand
        self.reset(0)

    def reset(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self._eyes, self._planner = Eyes(), Planner(rng, self._strokes, tuple(self._goal))
        self._hand = self._make_hand(np.random.default_rng([seed, 1]))
        self._left: Floats = np.empty((0, 2))
        self._expected: PushTState | None = None

    def act(self, observation: Observation) -> Actions:
        pusher, block = self._eyes.read(observation.image)
        if not np.isfinite(block).all():
            return self._hand.move(np.tile(pusher, (self._replan_steps, 1)), pusher)
        state = PushTState(pusher, self._velocity(pusher), block)
        targets = self._planner.plan(state, self._left).targets
        self._left = targets[self._replan_steps :]
        # A plan that ends early holds its last target.
        last = np.tile(targets[-1], (self._replan_steps, 1))
        now = np.vstack([targets, last])[: self._replan_steps]
        self._expected = self._planner.look_ahead(state, now)
        return self._hand.move(now, pusher)

    def _velocity(self, pusher: Floats) -> Floats:
        """An image shows none: what was planned, if the pusher is where it was planned to be, else rest."""
        if self._expected is None or np.linalg.norm(self._expected.pusher - pusher) > _SAME_PLACE:
            return np.zeros(2)
        return self._expected.pusher_velocity


class RandomPushes:
    """Goes behind the T it sees and pushes it anywhere."""

    def reset(self, seed: int) -> None:
        self._eyes, self._rng = Eyes(), np.random.default_rng(seed)
        self._left: Floats = np.empty((0, 2))

    def act(self, observation: Observation) -> Actions:
        pusher, block = self._eyes.read(observation.image)
        if not len(self._left):
            if not np.isfinite(block).all():
                return np.tile(pusher, (_CHUNK, 1))
            stroke = random_stroke(block, self._rng)
            approach = list(walk(way_round(pusher, stroke.start, block), 24.0))
            self._left = np.array([*approach, *stroke.targets(self._rng.uniform(8.0, 24.0))])
        now, self._left = self._left[:_CHUNK], self._left[_CHUNK:]
        return now


class Wandering:
    """Walks about at random, wherever the T is."""

    def reset(self, seed: int) -> None:
        self._rng, self._eyes = np.random.default_rng(seed), Eyes()
        self._at: Floats | None = None
        self._velocity = self._rng.normal(0.0, 12.0, 2)

    def act(self, observation: Observation) -> Actions:
        if self._at is None:
            self._at = self._eyes.read(observation.image)[0].copy()
        self._velocity = 0.93 * self._velocity + self._rng.normal(0.0, 6.0, 2)
        self._at = np.clip(self._at + self._velocity, _MARGIN, ARENA_SIZE - _MARGIN)
        return self._at.copy()


class Still:
    """Stays where it is at first."""

    def reset(self, seed: int) -> None:
        self._at: Floats | None = None

    def act(self, observation: Observation) -> Actions:
        if self._at is None:
            self._at = Eyes().read(observation.image)[0].copy()
        return np.tile(self._at, (_CHUNK, 1))


class Corner:
    """Sends zeros: the upper left corner, as absolute targets are meant."""

    def reset(self, seed: int) -> None:
        """There is nothing to forget."""

    def act(self, observation: Observation) -> Actions:
        return np.zeros((_CHUNK, 2))


_KINDS: Mapping[str, Callable[[], Policy]] = {
    "random-pushes": RandomPushes,
    "wandering": Wandering,
    "still": Still,
    "corner": Corner,
}


def make_policy(
    kind: str = "planning",
    *,
    strokes: int = 24,
    replan_steps: int = _CHUNK,
    turned_goal_deg: float = 0.0,
    **hand: float,
) -> Policy:
    """A policy by its kind: planning, random-pushes, wandering, still or corner; the rest is for `planning` alone.

    strokes: how many it tries each time. turned_goal_deg: it believes the goal to be turned by so much. hand: what is
    wrong with how it carries its plan out, see `hands.Hand`. Raises InputError for what is not known.
    """
    if kind == "planning":
        if strokes < 1 or replan_steps < 1:
            raise InputError("strokes, replan_steps", (strokes, replan_steps), "give 1 or more")
        goal = np.array(GOAL_POSE) + np.array([0.0, 0.0, np.radians(turned_goal_deg)])
        try:
            Hand(np.random.default_rng(0), **hand)
        except TypeError as error:
            raise InputError("config", sorted(hand), f"give keywords of the policy ({error})") from error
        return Planning(strokes, replan_steps, goal, lambda rng: Hand(rng, **hand))
    if kind not in _KINDS or hand:
        raise InputError("kind", repr(kind), f"use planning with its keywords, or one of {', '.join(_KINDS)} alone")
    return _KINDS[kind]()
