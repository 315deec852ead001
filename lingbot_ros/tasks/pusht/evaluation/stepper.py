"""The true simulator as a stepper: the reference arm."""

from collections.abc import Mapping

import numpy as np

from lingbot_ros.evaluate.policies.contract import Actions, Start
from lingbot_ros.evaluate.rollouts.stepper import Frames, RowError
from lingbot_ros.tasks.pusht.geometry import ARENA_SIZE
from lingbot_ros.tasks.pusht.simulator.simulator import CONTROL_HZ, PushTSimulator, PushTState


class PushTStepper:
    """A simulator for every row. Starts must have a `PushTState`; steps make `frames_per_step` frames."""

    fps = float(CONTROL_HZ)

    def __init__(self, rows: int, frames_per_step: int = 1) -> None:
        self.rows, self._frames_per_step = rows, frames_per_step
        self.low, self.high = np.zeros(2), np.full(2, ARENA_SIZE)
        self._simulators: dict[int, PushTSimulator] = {}

    def start(self, row: int, start: Start, seed: int) -> Frames | RowError:
        if not isinstance(start.state, PushTState):
            return RowError(f"the start {start.id} has no state of the simulator")
        self._simulators[row] = PushTSimulator(counts_contacts=False)
        self._simulators[row].set_state(start.state)
        return self._simulators[row].render()

    def frames_in_next_step(self, row: int) -> int:
        return self._frames_per_step

    def step(self, actions: Mapping[int, Actions]) -> dict[int, Frames | RowError]:
        return {row: self._step(self._simulators[row], mine) for row, mine in actions.items()}

    def end(self, row: int) -> None:
        del self._simulators[row]

    @staticmethod
    def _step(simulator: PushTSimulator, actions: Actions) -> Frames:
        shown = []
        for x, y in actions.tolist():
            simulator.advance((x, y))
            shown.append(simulator.render())
        return np.stack(shown)
