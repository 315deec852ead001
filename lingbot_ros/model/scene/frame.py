"""A finished frame of a scene, and where its pixels come from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.model.scene.camera import Floats

UNKNOWN, PAINTED, REAL = 0, 1, 2
"""Where a pixel comes from: filled in for want of anything known; the floor plan; a real image."""


@dataclass(frozen=True)
class Drawn:
    """colour uint8 [H, W, 3], disparity float32 [H, W] in 1/m, surface (see `surfaces`) and origin uint8 [H, W]."""

    colour: NDArray[np.uint8]
    disparity: Floats
    surface: NDArray[np.uint8]
    origin: NDArray[np.uint8]
