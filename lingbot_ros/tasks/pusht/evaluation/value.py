"""How far Push-T has come, read off one image by the outcome head."""

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.tasks.pusht.heads import OutcomeHead


class CoverageValue:
    """The head's estimate of how much of the goal is covered, over what gym-pusht calls success; 0..1."""

    definition = "pusht-outcome: coverage of the goal over 0.95, at most 1"
    low, high = 0.0, 1.0

    def __init__(self) -> None:
        """Raises ModelError where the head is missing or damaged."""
        self._head = OutcomeHead()

    def values(self, frames: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Of frames uint8 [n, 96, 96, 3] RGB: float64 [n]. Raises InputError for other frames."""
        return self._head(frames).reward
