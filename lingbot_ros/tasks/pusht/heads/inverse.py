"""The action between two images."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from lingbot_ros.engine.interface import Engine
from lingbot_ros.tasks.pusht.heads.files import load_head
from lingbot_ros.tasks.pusht.heads.networks import SIZE, InverseNet, to_images
from lingbot_ros.tasks.pusht.heads.running import running_on

ARENA_CENTRE = 256.0


class InverseDynamics:
    """What target the pusher was drawn to between the last two of three images in a row.

    It takes the image before them because the pusher has a velocity that a single one does not show.
    """

    def __init__(self, name: str | Path = "pusht-inverse", engine: Engine | None = None) -> None:
        """`engine` runs it if it was exported for that, else PyTorch; None: PyTorch.

        Raises ModelError for a head that is unknown, damaged or of another kind, and EngineError.
        """
        network = InverseNet()
        self.card = load_head(name, "inverse-dynamics", network)
        self._network = running_on(engine, name, network)

    @torch.inference_mode()
    def __call__(self, frames: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Images uint8 [B, 3, 96, 96, 3] RGB, 0.1 s apart -> actions [B, 2], simulator units, and their spread.

        The spread is the calibrated standard deviation of the error, in the same units. Raises InputError.
        """
        mean, log_spread = self._network(to_images(frames, "frames", (3, SIZE, SIZE, 3)))
        spread = log_spread.double().exp() * ARENA_CENTRE * self.card.calibration["spread_factor"]
        return ((mean.double() + 1) * ARENA_CENTRE).numpy(), spread.numpy()
