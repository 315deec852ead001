"""What the simulator makes of given actions from a given instant."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.tasks.pusht.simulator.simulator import PushTSimulator, PushTState


def replay(simulator: PushTSimulator, start: PushTState, actions: NDArray[np.floating]) -> Iterator[PushTState]:
    """The state after each of `actions` [T, 2] from `start`; when one is given, `simulator` stands at it."""
    simulator.set_state(start)
    for action in actions:
        yield simulator.step(action)
