"""What a task says of frames: a number per frame, high where it is nearly solved."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.evaluate.policies.contract import Frame, Start


class ScoreTrack(Protocol):
    """The scorer of one rollout; it may track what it has seen before."""

    def score(self, frames: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Scores [n] of the next frames uint8 [n, H, W, 3]; NaN where a frame cannot be scored."""


class Scorer(Protocol):
    """Scores frames of any arm. It sees neither the arm nor the policy nor the actions.

    Success within H is a score of the threshold or more in one of the frames 1..H, so that one rollout serves every
    threshold and every horizon.
    """

    name: str
    version: str

    def begin(self, start: Start, first: Frame) -> ScoreTrack:
        """A track for one rollout, from its start and its first image as the world shows it."""
