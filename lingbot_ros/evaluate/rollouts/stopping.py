"""Rollouts that can be stopped between two frames."""

from collections.abc import Callable, Mapping

from lingbot_ros.evaluate.policies.contract import Actions, Frame, Start
from lingbot_ros.evaluate.rollouts.stepper import Frames, RowError, Stepper


class StoppedError(Exception):
    """Somebody asked for the end; the text says why."""


class StoppableStepper:
    """Another stepper, which asks before every start and step whether to go on."""

    def __init__(self, stepper: Stepper, why_stop: Callable[[], str]) -> None:
        """why_stop: the reason to stop now, or empty."""
        self._stepper, self._why_stop = stepper, why_stop
        self.rows, self.low, self.high, self.fps = stepper.rows, stepper.low, stepper.high, stepper.fps

    def start(self, row: int, start: Start, seed: int) -> Frame | RowError:
        self._ask()
        return self._stepper.start(row, start, seed)

    def frames_in_next_step(self, row: int) -> int:
        return self._stepper.frames_in_next_step(row)

    def step(self, actions: Mapping[int, Actions]) -> Mapping[int, Frames | RowError]:
        self._ask()
        return self._stepper.step(actions)

    def end(self, row: int) -> None:
        self._stepper.end(row)

    def _ask(self) -> None:
        reason = self._why_stop()
        if reason:
            raise StoppedError(reason)
