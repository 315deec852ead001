"""What a world says would happen under many actions, and the two ways to ask it."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Frames = NDArray[np.uint8]


@dataclass(frozen=True)
class Futures:
    """Imagined outcomes of B candidates over T frames. What a route does not make is None.

    actions [B, T, A] in the model's units. poses [B, T, K, 3]: x and y in pixels, turn in radians, of each layer.
    images uint8 [B, T, H, W, 3] RGB. spread_px [B, T]: how far copies of the world, read a little otherwise, have come
    from it so far.
    """

    actions: Floats
    poses: Floats | None = None
    images: Frames | None = None
    spread_px: Floats | None = None


class Rollouts(Protocol):
    """A world at one instant, which is never changed by being asked."""

    def roll(self, actions: Floats) -> Futures:
        """The futures under actions [B, T, A]. Raises InputError for actions that the model does not take."""
        ...
