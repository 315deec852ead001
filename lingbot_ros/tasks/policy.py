"""What drives a demonstration: the policies of `lingbot imagine --policy`."""

from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.checkpoints.cards import ControlSpec
from lingbot_ros.errors import InputError
from lingbot_ros.runtime.records import Image

if TYPE_CHECKING:
    from lingbot_ros.tasks.task import Task

Action = NDArray[np.float64]

POLICIES = ("demo", "random", "circle")


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


def make_policy(name: str | None, task: "Task | None", model: str, spec: ControlSpec, seed: int) -> tuple[str, Policy]:
    """A policy for a model, and its name. None: its task's demo where there is one, else random.

    Raises InputError for one that cannot drive the model.
    """
    if name is not None and name not in POLICIES:
        raise InputError("policy", f"'{name}'", f"use one of {', '.join(POLICIES)}")
    if spec.kind != "action":
        fix = f"{model} is driven by a camera: name it with --model and give --image, --poses"
        raise InputError("policy", f"'{name or 'demo'}'", fix)
    low, high, rng = np.array(spec.low), np.array(spec.high), np.random.default_rng(seed)
    if name in ("demo", None):
        demo = None if task is None else task.demo_policy(seed)
        if demo is not None:
            return "demo", demo
        if name == "demo":
            raise InputError("policy", "'demo'", f"nothing plays {model} by itself; use random or circle")
    return ("circle", Circle(low, high)) if name == "circle" else ("random", Wander(low, high, rng))
