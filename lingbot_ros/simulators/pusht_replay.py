"""What the simulator makes of given actions from a given instant."""

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.simulators.pusht import PushTSimulator, PushTState


def replay(simulator: PushTSimulator, start: PushTState, actions: NDArray[np.floating]) -> list[PushTState]:
    """The states after each of `actions` [T, 2] from `start`; `simulator` is left at the last."""
    simulator.set_state(start)
    return [simulator.step(action) for action in actions]
