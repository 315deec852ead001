"""The learned policy as the evaluator plays it."""

from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray

from lingbot_ros.evaluate.policies.contract import Actions, Observation
from lingbot_ros.tasks.pusht.evaluation.eyes import Eyes
from lingbot_ros.tasks.pusht.geometry import ARENA_SIZE, CENTRE_OF_GRAVITY, GOAL_POSE, OUTLINE, outline_at, place
from lingbot_ros.tasks.pusht.heads.files import load_head
from lingbot_ros.tasks.pusht.learned.network import PushNet, features, to_effects
from lingbot_ros.tasks.pusht.learned.pushes import draw_pushes
from lingbot_ros.tasks.pusht.simulator.push_plan import walk, way_round

Floats = NDArray[np.float64]

SHIPPED = "pusht-pushes"

_CHOICE = 1024
_APPROACH_SPEED, _PUSH_SPEED = 26.0, 14.0
_SETTLE_STEPS = 2
"""The pusher lags its target by about so many steps: so long it waits where a push begins and where it ends."""
_MARGIN = 16.0
_WAIT_STEPS = 4
_STEP_COST = 0.15
_WORTH = 0.3
"""Units of the corners' mean distance from the goal: what a step of time costs, and the least that a push must win."""


class LearnedPolicy:
    """Of the pushes that it knows, it makes the one after which the block should be nearest to the goal.

    It draws no random numbers: the pushes are always the same ones, seen from the block.
    """

    def __init__(self, network: PushNet) -> None:
        self._pushes = draw_pushes(_CHOICE, np.random.default_rng(0))
        with torch.inference_mode():
            effects = to_effects(network(features(self._pushes))).double().numpy()
        # Where every corner ends up, in the frame of the block before the push: [n, reaches, 8, 2].
        cosine, sine = np.cos(effects[..., 2, None]), np.sin(effects[..., 2, None])
        x, y = (OUTLINE - CENTRE_OF_GRAVITY).T
        turned = np.stack([cosine * x - sine * y, sine * x + cosine * y], -1)
        self._corners = turned + CENTRE_OF_GRAVITY + effects[..., None, :2]
        self._ends = self._pushes.ends()
        self._goal = outline_at(GOAL_POSE)
        self.reset(0)

    def reset(self, seed: int) -> None:
        self._eyes = Eyes()

    def act(self, observation: Observation) -> Actions:
        pusher, block = self._eyes.read(observation.image)
        stay = np.tile(pusher, (_WAIT_STEPS, 1))
        if not np.isfinite(block).all():
            return stay
        starts = place(self._pushes.start, block)
        ends = place(self._ends, block)
        cost = np.hypot(*np.moveaxis(place(self._corners, block) - self._goal, -1, 0)).mean(-1)
        way = np.linalg.norm(starts - pusher, axis=-1)[:, None] / _APPROACH_SPEED
        push = np.linalg.norm(ends - starts[:, None], axis=-1) / _PUSH_SPEED
        outside = (np.minimum(starts, ARENA_SIZE - starts).min(-1) < _MARGIN)[:, None] | (
            np.minimum(ends, ARENA_SIZE - ends).min(-1) < _MARGIN
        )
        cost = cost + _STEP_COST * (way + push) + np.where(outside, np.inf, 0.0)
        best, reach = np.unravel_index(int(cost.argmin()), cost.shape)
        now = np.hypot(*(place(OUTLINE, block) - self._goal).T).mean()
        if cost[best, reach] > now - _WORTH:
            return stay
        start, end = starts[best], ends[best, reach]
        approach = list(walk(way_round(pusher, start, block), _APPROACH_SPEED))
        return np.array(
            [
                *approach,
                *[start] * _SETTLE_STEPS,
                *walk(np.stack([start, end]), _PUSH_SPEED),
                *[end] * _SETTLE_STEPS,
            ]
        )


def make_policy(head: str = SHIPPED) -> LearnedPolicy:
    """The policy of a head folder or of a name in models/. Raises ModelError for one that cannot be loaded."""
    return LearnedPolicy(_network(head))


@lru_cache(maxsize=4)
def _network(head: str) -> PushNet:
    """Shared by all rows, which do not change it."""
    network = PushNet()
    load_head(head, "policy", network)
    return network
