"""The system under test: put your own planner here. This one sends the pusher to its goal by the straight way."""

import os

import numpy as np


class Planner:
    """PLANTED_BUG=flipped_axis in the environment plants a bug, so that you can see the tests catch it."""

    def __init__(self) -> None:
        self._is_flipped = os.environ.get("PLANTED_BUG") == "flipped_axis"

    def plan(self, start: np.ndarray, goal: np.ndarray, steps: int) -> np.ndarray:
        """Positions [steps, 2] of the pusher in units of the model's actions, from start [2] to goal [2].

        The pusher follows with a delay, so that the last positions are the goal.
        """
        way = goal - start
        if self._is_flipped:
            way = way * (1.0, -1.0)
        share = np.minimum(np.arange(1, steps + 1) / (steps - 3), 1.0)
        return np.clip(start + share[:, None] * way, 0.0, 512.0)
