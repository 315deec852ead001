"""What plays with the ball, seeing nothing but the image."""

import numpy as np
from numpy.typing import NDArray

from bouncing_ball.simulator import SIZE_PX, find_ball


class Juggler:
    """Pushes the ball up while it is low, and towards the middle."""

    def act(self, frame: NDArray[np.uint8]) -> NDArray[np.float64]:
        """An action [2] in -1..1; none while there is no ball to be seen."""
        x, y = np.nan_to_num(find_ball(frame), nan=SIZE_PX / 2)
        return np.array([np.clip((SIZE_PX / 2 - x) / 8, -1, 1), -1.0 if y > SIZE_PX / 2 else 0.0])
