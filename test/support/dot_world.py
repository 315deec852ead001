"""A world of one dot that is where the last action put it, beside a box that stands still: exact, and cheap to draw."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.evaluate.policies.contract import Actions, Frame, Start
from lingbot_ros.evaluate.reality.episodes import Episode
from lingbot_ros.evaluate.rollouts.stepper import Frames, RowError

SIZE = 48
BOX = (30, 10)


def draw(dot: NDArray[np.float64], box: tuple[int, int] = BOX, noise: np.random.Generator | None = None) -> Frame:
    """uint8 [48, 48, 3]: a dark dot at x, y and a red box with its corner at x, y, in pixels."""
    image = np.full((SIZE, SIZE, 3), 230, np.uint8)
    image[box[1] : box[1] + 8, box[0] : box[0] + 8] = (200, 40, 40)
    x, y = np.clip(np.round(dot).astype(int), 2, SIZE - 3)
    image[y - 2 : y + 3, x - 2 : x + 3] = 20
    if noise is not None:
        image = np.clip(image + noise.integers(-3, 4, image.shape), 0, 255).astype(np.uint8)
    return image


class DotStepper:
    """Imagines `chunk` frames a step. It reads the box off the first image, as a model would."""

    fps = 10.0

    def __init__(self, rows: int = 1, chunk: int = 1) -> None:
        self.rows, self._chunk = rows, chunk
        self.low, self.high = np.zeros(2), np.full(2, float(SIZE))
        self.open: dict[int, tuple[int, int]] = {}

    def start(self, row: int, start: Start, seed: int) -> Frame | RowError:
        rows, columns = np.nonzero((start.image[..., 0] > 150) & (start.image[..., 1] < 90))
        if not len(rows):
            return RowError("no box is to be seen")
        self.open[row] = (int(columns.min()), int(rows.min()))
        return start.image

    def frames_in_next_step(self, row: int) -> int:
        return self._chunk

    def step(self, actions: Mapping[int, Actions]) -> dict[int, Frames | RowError]:
        return {row: np.stack([draw(dot, self.open[row]) for dot in mine]) for row, mine in actions.items()}

    def observe(self, row: int, frames: Frames, actions: Actions) -> RowError | None:
        refused = self.start(row, Start("observed", frames[-1]), 0)
        return refused if isinstance(refused, RowError) else None

    def peek(self, row: int, actions: Actions) -> Frames | RowError:
        return self.step({row: actions})[row]

    def end(self, row: int) -> None:
        del self.open[row]


def walk(steps: int, seed: int) -> NDArray[np.float64]:
    """Positions [steps, 2] of a dot that strolls on the left half."""
    turns = np.cumsum(np.random.default_rng(seed).normal(0, 0.25, (steps, 2)), axis=0)
    return np.array((14, 24)) + np.array((8, 12)) * np.sin(turns)


def recorded(steps: int, seed: int) -> Episode:
    """What a camera with a little noise would have recorded."""
    rng, dots = np.random.default_rng(seed), walk(steps + 1, seed)
    return Episode(f"stroll {seed}", np.stack([draw(dot, noise=rng) for dot in dots]), dots[1:])
