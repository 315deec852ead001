"""Small policies and a scorer for tests of the evaluator: they look at images, and some of them fail."""

import threading
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.evaluate.policies import Actions, Observation, Start

Floats = NDArray[np.float64]


class Seer:
    """Goes where the image is brightest, with noise; gives chunks of `chunk` actions."""

    def __init__(self, noise: float = 20.0, chunk: int = 1) -> None:
        self._noise, self._chunk = noise, chunk
        self._rng = np.random.default_rng()

    def reset(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)

    def act(self, observation: Observation) -> Actions:
        light = observation.image.sum(axis=2)
        row, column = np.unravel_index(light.argmax(), light.shape)
        target = np.array([column, row]) * 512 / len(light)
        return np.clip(target + self._rng.normal(0, self._noise, (self._chunk, 2)), 0, 512)


class Failing(Seer):
    """A seer that fails in one way at its third action."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self._how, self._count = how, 0

    def act(self, observation: Observation) -> Actions:
        self._count += 1
        if self._count >= 3:
            if self._how == "crash":
                raise RuntimeError("the gripper is gone")
            if self._how == "leave":
                raise SystemExit(1)
            if self._how == "nan":
                return np.array([1.0, np.nan])
            if self._how == "shape":
                return np.zeros(3)
            if self._how == "words":
                return "left"  # type: ignore[return-value]
            if self._how == "stall":
                threading.Event().wait()
        return super().act(observation)


class SeerBatch:
    """The same for many rows in one call."""

    def __init__(self) -> None:
        self._seers: dict[int, Seer] = {}

    def reset(self, row: int, seed: int) -> None:
        self._seers[row] = Seer()
        self._seers[row].reset(seed)

    def act(self, rows: Sequence[int], observations: Sequence[Observation]) -> list[Actions]:
        return [self._seers[row].act(seen) for row, seen in zip(rows, observations, strict=True)]


class Brightness:
    """Scores a frame by its mean, 0..1; `refuse` names a start that it cannot score."""

    name, version = "brightness", "1"

    def __init__(self, refuse: str = "") -> None:
        self._refuse = refuse

    def begin(self, start: Start, first: NDArray[np.uint8]) -> "Brightness":
        if start.id == self._refuse:
            raise ValueError("too dark to see")
        return self

    def score(self, frames: NDArray[np.uint8]) -> Floats:
        return np.asarray(frames.mean(axis=(1, 2, 3)) / 255)


def starts(count: int, size: int = 32) -> list[Start]:
    images = np.random.default_rng(5).integers(0, 256, (count, size, size, 3), np.uint8)
    return [Start(f"start{index}", image, seen_in_training=False) for index, image in enumerate(images)]
