"""Success, reward and termination from an image."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from lingbot_ros.engine.interface import Engine
from lingbot_ros.tasks.pusht.heads.files import load_head
from lingbot_ros.tasks.pusht.heads.networks import SIZE, OutcomeNet, to_images
from lingbot_ros.tasks.pusht.heads.running import running_on

SUCCESS_COVERAGE = 0.95
"""gym-pusht ends an episode when the block covers this much of the goal."""


@dataclass(frozen=True)
class Outcome:
    """Of B images, float64 [B] each: `coverage` of the goal 0..1, calibrated `success` probability, gym's reward."""

    coverage: NDArray[np.float64]
    success: NDArray[np.float64]

    @property
    def reward(self) -> NDArray[np.float64]:
        """gym-pusht's reward, 0..1: coverage over that of success."""
        return np.clip(self.coverage / SUCCESS_COVERAGE, 0.0, 1.0)

    @property
    def terminated(self) -> NDArray[np.bool_]:
        """Where success is more likely than not: bool [B]."""
        return self.success > 0.5


class OutcomeHead:
    """Loaded once, then called with images; runs on the CPU in about a millisecond an image."""

    def __init__(self, name: str | Path = "pusht-outcome", engine: Engine | None = None) -> None:
        """`engine` runs it if it was exported for that, else PyTorch; None: PyTorch.

        Raises ModelError for a head that is unknown, damaged or of another kind, and EngineError.
        """
        network = OutcomeNet()
        self.card = load_head(name, "outcome", network)
        self._network = running_on(engine, name, network)

    @torch.inference_mode()
    def __call__(self, frames: NDArray[np.uint8]) -> Outcome:
        """Images uint8 [B, 96, 96, 3] RGB. Raises InputError for other arrays."""
        logit, coverage = self._network(to_images(frames, "frames", (SIZE, SIZE, 3)))
        calibration = self.card.calibration
        calibrated = calibration["slope"] * logit.double() + calibration["offset"]
        return Outcome(coverage.double().numpy(), calibrated.sigmoid().numpy())
