"""Futures by the simulator itself: what a perfect world would give a planner, the ceiling of every other."""

import numpy as np

from lingbot_ros.planning.futures import Floats, Futures
from lingbot_ros.tasks.pusht.geometry import IMAGE_SIZE, to_pixels
from lingbot_ros.tasks.pusht.planning.pose_cost import LayerFrame
from lingbot_ros.tasks.pusht.simulator.simulator import PushTSimulator, PushTState

_APART = PushTState(np.array([20.0, 20.0]), np.zeros(2), np.array([400.0, 400.0, 0.0]))
_FORGET_STEPS = 1


class TrueRollouts:
    """From a true state. Slow: about half a millisecond a step."""

    def __init__(self, simulator: PushTSimulator, state: PushTState) -> None:
        self._simulator, self._state = simulator, state
        block = np.array([*to_pixels(state.block[:2], IMAGE_SIZE), state.block[2]])
        self.frame = LayerFrame(block, state.block, IMAGE_SIZE)

    def roll(self, actions: Floats) -> Futures:
        """See `planning.futures.Rollouts`."""
        poses = np.zeros((*actions.shape[:2], 2, 3))
        for row, targets in enumerate(actions):
            self._forget_contacts()
            self._simulator.set_state(self._state)
            for step, target in enumerate(targets.tolist()):
                x, y, angle = self._simulator.advance((target[0], target[1]))
                pusher = self._simulator.state.pusher
                poses[row, step, 0, :2] = to_pixels(pusher, IMAGE_SIZE)
                poses[row, step, 1] = (*to_pixels((x, y), IMAGE_SIZE), angle)
        return Futures(actions, poses=poses)

    def _forget_contacts(self) -> None:
        """The physics engine starts from the contacts of the step before, so that candidates would depend on order."""
        self._simulator.set_state(_APART)
        for _ in range(_FORGET_STEPS):
            self._simulator.advance((20.0, 20.0))
