"""What a policy is, and the ones that drive any action model without looking."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.runtime.records import Image

Action = NDArray[np.float64]


class Policy(Protocol):
    """Maps the newest frame, uint8 [H, W, 3] RGB, to the next action, float64 [dim] within the model's limits."""

    def act(self, frame: Image) -> Action: ...


class Wander:
    """A smooth random walk that turns back at the limits."""

    def __init__(self, low: Action, high: Action, rng: np.random.Generator) -> None:
        self._low, self._high, self._rng = low, high, rng
        self._at = (low + high) / 2
        self._velocity = np.zeros_like(low)

    def act(self, frame: Image) -> Action:
        span = self._high - self._low
        self._velocity = 0.93 * self._velocity + self._rng.normal(0.0, 0.012, span.shape) * span
        self._at = self._at + self._velocity
        beyond = (self._at < self._low + 0.05 * span) | (self._at > self._high - 0.05 * span)
        self._velocity[beyond] *= -1.0
        self._at = np.clip(self._at, self._low, self._high)
        return self._at.copy()


class Circle:
    """The first two components go round the middle of their range; the others stay in the middle."""

    def __init__(self, low: Action, high: Action, steps_per_turn: int = 60) -> None:
        self._middle, self._radius = (low + high) / 2, 0.3 * (high - low)
        self._turn, self._steps = 2 * np.pi / steps_per_turn, 0

    def act(self, frame: Image) -> Action:
        angle = self._turn * self._steps
        self._steps += 1
        offset = np.zeros_like(self._middle)
        offset[:2] = self._radius[:2] * np.array([np.cos(angle), np.sin(angle)])[: len(offset)]
        return self._middle + offset
