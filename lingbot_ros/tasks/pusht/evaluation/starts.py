"""Where policies start: shortly before an expert would succeed, so that good and bad policies differ within seconds."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.evaluate.policies.contract import Start
from lingbot_ros.tasks.pusht.evaluation.planner import Planner
from lingbot_ros.tasks.pusht.geometry import GOAL_POSE, PUSHER_RADIUS
from lingbot_ros.tasks.pusht.simulator.push_plan import distance_to_tee
from lingbot_ros.tasks.pusht.simulator.simulator import PushTSimulator, PushTState

Floats = NDArray[np.float64]

FIRST_SEED = 10_000
"""Seeds from here on are those of starts; `seed` of an evaluation moves them by a million."""

_SEEDS_APART = 1_000_000
_SPREADS = (10.0, 20.0, 30.0)
_RADIANS_PER_UNIT = 1 / 70
_LONGEST_STEPS = 60
_SOLVED, _FAR = 0.95, 0.80
_EARLIEST, _LATEST = 24, 8
_GAP = PUSHER_RADIUS + 5.0
_REPLAN_STEPS = 4


@dataclass(frozen=True)
class _Moment:
    state: PushTState
    coverage: float


def make_starts(count: int, seed: int) -> Iterator[Start]:
    """`count` starts, the same for equal seeds; the first n do not depend on count.

    An expert with the true state plays from blocks near the goal. Where it covers 0.95 of the goal, one state 8 to 24
    steps earlier that covers less than 0.80 is a start, with the pusher at rest and clear of the block: in contact, the
    world would push on. None is of a training episode.
    """
    simulator, found, episode = PushTSimulator(), 0, FIRST_SEED + seed * _SEEDS_APART
    while found < count:
        moment = _moment_before_success(simulator, episode)
        if moment is not None:
            state = PushTState(moment.state.pusher, np.zeros(2), moment.state.block)
            yield start_of(f"seed-{episode}", state, simulator)
            found += 1
        episode += 1


def start_of(name: str, state: PushTState, simulator: PushTSimulator) -> Start:
    """The start at a state, with its image."""
    simulator.reset(0)
    simulator.set_state(state)
    return Start(name, simulator.render(), state=state, seen_in_training=False)


def _moment_before_success(simulator: PushTSimulator, episode: int) -> _Moment | None:
    rng = np.random.default_rng(episode)
    simulator.reset(episode)
    simulator.set_state(near_the_goal(rng))
    lived = _play(simulator, rng)
    if lived[-1].coverage < _SOLVED:
        return None
    before = lived[max(len(lived) - 1 - _EARLIEST, 0) : max(len(lived) - _LATEST, 0)]
    clear = [moment for moment in before if moment.coverage < _FAR and _is_clear(moment.state)]
    return clear[rng.integers(len(clear))] if clear else None


def _play(simulator: PushTSimulator, rng: np.random.Generator) -> list[_Moment]:
    planner, lived = Planner(rng), [_Moment(simulator.state, simulator.coverage())]
    left: Floats = np.empty((0, 2))
    while len(lived) <= _LONGEST_STEPS and lived[-1].coverage < _SOLVED:
        left = planner.plan(simulator.state, left).targets
        for target in left[:_REPLAN_STEPS]:
            lived.append(_Moment(simulator.step(target), simulator.coverage()))
            if lived[-1].coverage >= _SOLVED:
                break
        left = left[_REPLAN_STEPS:]
    return lived


def near_the_goal(rng: np.random.Generator) -> PushTState:
    """A scene at rest with the block near the goal and the pusher clear of it."""
    spread = rng.choice(_SPREADS)
    while True:
        block = np.array(GOAL_POSE) + rng.normal(0.0, spread, 3) * (1.0, 1.0, _RADIANS_PER_UNIT)
        pusher = block[:2] + rng.uniform(-180.0, 180.0, 2)
        state = PushTState(pusher, np.zeros(2), block)
        if _is_clear(state) and (pusher > 40.0).all() and (pusher < 472.0).all():
            return state


def _is_clear(state: PushTState) -> bool:
    return bool(distance_to_tee(state.pusher[None], state.block)[0] > _GAP)
