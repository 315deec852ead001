"""Looks ahead: tries strokes in the simulator's physics from where the T is believed to be, and makes the best."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import cos, sin

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.tasks.pusht.geometry import GOAL_POSE, OUTLINE, outline_at
from lingbot_ros.tasks.pusht.simulator.push_plan import Stroke, random_stroke, walk, way_round
from lingbot_ros.tasks.pusht.simulator.simulator import PushTSimulator, PushTState

Floats = NDArray[np.float64]

_APPROACH_SPEED = 26.0
_SLOWEST, _FASTEST = 8.0, 26.0
_STEP_COST = 0.15
"""Units of corner distance that a step of waiting is worth."""
_GIVE_UP_COST = 14.0
_LONGEST = 20
_REFINED, _REFINEMENTS = 2, 4
_GAIN_WORTH_MOVING = 0.3


@dataclass(frozen=True)
class Plan:
    """Targets [n, 2] one step apart; cost: the corners' mean distance from the goal where they end, plus the wait."""

    targets: Floats
    cost: float
    stroke: Stroke | None = None
    speed: float = 0.0


@lru_cache(maxsize=1)
def _physics() -> PushTSimulator:
    return PushTSimulator(counts_contacts=False)


class Planner:
    """Plans of one rollout. `strokes` random ones are tried each time, the best are refined."""

    def __init__(self, rng: np.random.Generator, strokes: int = 24, goal: Sequence[float] = GOAL_POSE) -> None:
        self._rng, self._strokes = rng, strokes
        self._corners = outline_at(goal)
        self._physics = _physics()

    def plan(self, state: PushTState, last: Floats) -> Plan:
        """The best plan from `state`, of which `last` [n, 2] may be one that has begun."""
        # A scene that was used keeps contacts of before, and a plan must depend on its arguments alone.
        self._physics.reset(0)
        stay = Plan(state.pusher[None], self.cost(tuple(state.block.tolist())))
        tried = [self._try(state, *self._draw(state)) for _ in range(self._strokes)]
        for best in sorted(tried, key=lambda plan: plan.cost)[:_REFINED]:
            tried += [self._try(state, *self._near(best)) for _ in range(_REFINEMENTS)]
        if len(last):
            tried.append(self._follow(state, last))
        best = min(tried, key=lambda plan: plan.cost)
        return best if best.cost < stay.cost - _GAIN_WORTH_MOVING else stay

    def cost(self, block: tuple[float, float, float]) -> float:
        """Mean distance of the T's corners from where the goal has them, units."""
        x, y, angle = block
        cosine, sine = cos(angle), sin(angle)
        across = cosine * OUTLINE[:, 0] - sine * OUTLINE[:, 1] + (x - self._corners[:, 0])
        down = sine * OUTLINE[:, 0] + cosine * OUTLINE[:, 1] + (y - self._corners[:, 1])
        return float(np.hypot(across, down).mean())

    def _draw(self, state: PushTState) -> tuple[Stroke, float]:
        return random_stroke(state.block, self._rng), float(self._rng.uniform(_SLOWEST, _FASTEST))

    def _near(self, plan: Plan) -> tuple[Stroke, float]:
        assert plan.stroke is not None
        start, end = (at + self._rng.normal(0.0, 5.0, 2) for at in (plan.stroke.start, plan.stroke.end))
        return Stroke(start, end), float(np.clip(plan.speed + self._rng.normal(0.0, 3.0), _SLOWEST, _FASTEST))

    def _try(self, state: PushTState, stroke: Stroke, speed: float) -> Plan:
        """The stroke from its own start; the way there touches nothing and costs time alone."""
        approach = np.array(list(walk(way_round(state.pusher, stroke.start, state.block), _APPROACH_SPEED)))
        self._physics.set_state(PushTState(stroke.start, np.zeros(2), state.block))
        push = np.array(list(stroke.targets(speed)))[:_LONGEST]
        cost, steps = self._simulate(push)
        return Plan(np.vstack([approach, push[:steps]]), cost + _STEP_COST * len(approach), stroke, speed)

    def _follow(self, state: PushTState, targets: Floats) -> Plan:
        self._physics.set_state(state)
        cost, steps = self._simulate(targets)
        return Plan(targets[:steps], cost)

    def _simulate(self, targets: Floats) -> tuple[float, int]:
        """The lowest cost on the way, and after how many of the targets."""
        lowest, at = np.inf, 0
        for index, target in enumerate(targets.tolist()):
            cost = self.cost(self._physics.advance((target[0], target[1]))) + _STEP_COST * (index + 1)
            if cost < lowest:
                lowest, at = cost, index + 1
            elif cost > lowest + _GIVE_UP_COST:
                break
        return lowest, at

    def look_ahead(self, state: PushTState, targets: Floats) -> PushTState:
        """What the physics makes of `state` under targets [n, 2]."""
        self._physics.set_state(state)
        for target in targets.tolist():
            self._physics.advance((target[0], target[1]))
        return self._physics.state
