"""Costs that any model allows: the goal as an image, the effort of the actions. Poses have costs of their task."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lingbot_ros.checkpoints.trust import TrustSpec
from lingbot_ros.errors import InputError
from lingbot_ros.planning.futures import Floats, Frames, Futures


@dataclass(frozen=True)
class GoalImage:
    """Mean squared difference of the last image from the goal, 0..1. goal: uint8 [H, W, 3] RGB of the model's size."""

    goal: Frames

    def __call__(self, futures: Futures) -> Floats:
        """Costs [B]. Raises InputError when the futures have no images, or images of another size."""
        if futures.images is None:
            raise InputError("cost", "goal_image", "this cost needs images; plan on images instead of poses")
        last = futures.images[:, -1]
        if last.shape[1:] != self.goal.shape:
            size = "x".join(map(str, last.shape[2:0:-1]))
            raise InputError("goal", f"shape {list(self.goal.shape)}", f"give an image of {size} pixels")
        difference = (last.astype(np.float32) - self.goal.astype(np.float32)) / 255.0
        return np.asarray((difference**2).mean(axis=(1, 2, 3)), np.float64)


@dataclass(frozen=True)
class Smoothness:
    """Mean squared change of the action between frames, as a share of its range. low, high [A]; before [A] or None."""

    low: Floats
    high: Floats
    before: Floats | None = None

    def __call__(self, futures: Futures) -> Floats:
        """Costs [B]."""
        actions = futures.actions
        if self.before is not None:
            first = np.broadcast_to(self.before, actions[:, :1].shape)
            actions = np.concatenate([first, actions], axis=1)
        change = np.diff(actions, axis=1) / (self.high - self.low)
        return np.asarray((change**2).sum(axis=2).mean(axis=1), np.float64)


@dataclass(frozen=True)
class Distrust:
    """How little the end of a future is to be believed, 0..1, by the calibration of its model."""

    trust: TrustSpec

    def __call__(self, futures: Futures) -> Floats:
        """Costs [B]. Raises InputError when the futures do not tell."""
        if futures.spread_px is None:
            raise InputError("trust_penalty", "futures without a spread", "give 0, or roll the copies along")
        return np.array([1.0 - self.trust.of(float(spread)) for spread in futures.spread_px[:, -1]])


def weighted(*terms: tuple[float, Callable[[Futures], Floats]]) -> Callable[[Futures], Floats]:
    """The sum of costs with weights."""

    def total(futures: Futures) -> Floats:
        costs: Floats = np.sum([weight * cost(futures) for weight, cost in terms], axis=0)
        return costs

    return total
