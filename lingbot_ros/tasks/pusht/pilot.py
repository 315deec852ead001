"""Pushes the T about, seeing nothing but the image, imagined or real."""

from collections.abc import Iterator

import numpy as np

from lingbot_ros.runtime.records import Image
from lingbot_ros.tasks.policy import Action
from lingbot_ros.tasks.pusht.geometry import ARENA_SIZE, to_units
from lingbot_ros.tasks.pusht.image_reader import block_centroid, pusher_centre, read_shares
from lingbot_ros.tasks.pusht.simulator.push_plan import walk

# The farthest corner of the T is 76 units from its centre of gravity; the pusher's own radius is 15.
_ROUND_RADIUS = 104.0
_PUSH_LENGTH = 150.0
_MARGIN = 16.0
_WALK_SPEED, _PUSH_SPEED = 24.0, 11.0


class PushTPilot:
    """Goes round to a side of the T, pushes towards the middle of the table or, every other time, anywhere.

    Actions are absolute pusher targets [x, y] in simulator units. While the T or the pusher cannot be made out it waits
    where it is.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._plan: Iterator[Action] = iter(())
        self._strokes = 0
        self._last = np.full(2, ARENA_SIZE / 2)

    def act(self, frame: Image) -> Action:
        target = next(self._plan, None)
        if target is None:
            shares = read_shares(frame)
            pusher = to_units(pusher_centre(shares), frame.shape[0])
            block = to_units(block_centroid(shares), frame.shape[0])
            if np.isfinite([pusher, block]).all():
                self._plan = self._stroke(pusher, block)
                target = next(self._plan)
        if target is not None:
            self._last = np.clip(target, _MARGIN, ARENA_SIZE - _MARGIN)
        return self._last.copy()

    def _stroke(self, pusher: Action, block: Action) -> Iterator[Action]:
        self._strokes += 1
        inward = np.full(2, ARENA_SIZE / 2) - block
        heading = np.arctan2(inward[1], inward[0]) + self._rng.normal(0.0, 0.4)
        if self._strokes % 2 == 0:
            heading = self._rng.uniform(-np.pi, np.pi)
        direction = np.array([np.cos(heading), np.sin(heading)])
        first = np.arctan2(*(pusher - block)[::-1])
        sweep = (heading + np.pi - first + np.pi) % (2 * np.pi) - np.pi
        angles = first + np.linspace(0.0, sweep, max(2, int(abs(sweep) / 0.4) + 1))
        arc = block + _ROUND_RADIUS * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
        yield from walk(np.vstack([pusher, arc]), _WALK_SPEED)
        start = arc[-1]
        yield from walk(np.stack([start, start + _PUSH_LENGTH * direction]), _PUSH_SPEED)
