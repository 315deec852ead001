"""What a rollout needs of a world, imagined or true: rows that are started, stepped together and ended alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.evaluate.policies.contract import Actions, Frame, Start

Frames = NDArray[np.uint8]


@dataclass(frozen=True)
class RowError:
    """A row that cannot go on, and why; the other rows go on."""

    reason: str


class Stepper(Protocol):
    """A world with `rows` places. A place is free until `start` and after `end`.

    The runner starts all rows of a wave before it steps them, and none before all rows of the last wave have ended.
    """

    rows: int
    low: Actions
    high: Actions
    """The box of actions, [dim]."""
    fps: float

    def start(self, row: int, start: Start, seed: int) -> Frame | RowError:
        """Begin in a free place; the first image, uint8 [H, W, 3] RGB, as the world shows it."""

    def frames_in_next_step(self, row: int) -> int:
        """How many frames the row's next step makes, and how many actions it takes."""

    def step(self, actions: Mapping[int, Actions]) -> Mapping[int, Frames | RowError]:
        """Step the rows that are named, by actions [n, dim] each: frames uint8 [n, H, W, 3] of each.

        Rows that are not named stay as they are. Raises only what stops all of them.
        """

    def end(self, row: int) -> None:
        """Free the place. It costs nothing from now on."""


class ObservingStepper(Stepper, Protocol):
    """A stepper whose rows can also be shown what really happened."""

    def observe(self, row: int, frames: Frames, actions: Actions) -> RowError | None:
        """Real images uint8 [n, H, W, 3] at the world's size in place of its next n = `frames_in_next_step`, with the
        actions [n, dim] that led to them; or why they cannot be used.
        """

    def peek(self, row: int, actions: Actions) -> Frames | RowError:
        """The frames that `step` would make of one row by actions [n, dim]; the row stays as it is."""
