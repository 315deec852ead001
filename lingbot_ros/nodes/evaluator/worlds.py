"""Where an evaluator's rollouts are imagined: in a model of its own, or in imagination nodes on the network."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from typing import Any, Protocol

from lingbot_ros.errors import ErrorCode, InputError, LingbotError
from lingbot_ros.evaluate.machine import describe_model
from lingbot_ros.evaluate.policies.contract import Actions, Frame, Start
from lingbot_ros.evaluate.rollouts.stepper import Frames, ObservingStepper, RowError, Stepper
from lingbot_ros.evaluate.rollouts.worlds import SessionStepper, best_stepper
from lingbot_ros.nodes.evaluator.parameters import EvaluatorConfig
from lingbot_ros.world import World


@dataclass(frozen=True)
class Model:
    """What is known of the model, wherever it runs. height, width in pixels; settings: what a report says of it."""

    name: str
    task: str
    weights_sha256: str
    height: int
    width: int
    fps: float
    max_horizon: int | None
    settings: Mapping[str, Any]


class Worlds(Protocol):
    """Gives places to imagine in; several users may step theirs at once."""

    model: Model

    def rollouts(self) -> Stepper:
        """Rows for an evaluation."""

    def single(self) -> ObservingStepper:
        """One row, for a service or the monitor."""

    def close(self) -> None:
        """Free the model or the connections."""


class OwnWorlds:
    """A world on a thread of its own, on which everything that steps it takes turns."""

    def __init__(self, config: EvaluatorConfig) -> None:
        """Loads the model. Raises what `World.load` raises, InputError for a model without actions, LingbotError
        (TIMED_OUT).
        """
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="world")
        self._rows = config.rows
        try:
            self._world = self._thread.submit(World.load, options=config.options).result(config.load_timeout_s)
        except FutureTimeoutError as error:
            self._thread.shutdown(wait=False, cancel_futures=True)
            limit = f"model.load_timeout: the model was not loaded within {config.load_timeout_s:g} s"
            raise LingbotError(limit, ErrorCode.TIMED_OUT) from error
        card, info = self._world.card, self._world.info
        if info.control.kind != "action":
            raise InputError("model.name", info.name, "give a model that is driven by actions; policies act")
        self.model = Model(
            name=info.name,
            task=card.task or "",
            weights_sha256=card.weights.sha256,
            height=info.height,
            width=info.width,
            fps=float(info.fps),
            max_horizon=info.max_horizon,
            settings=describe_model(self._world),
        )

    def rollouts(self) -> Stepper:
        return _OnThread(self._thread.submit(best_stepper, self._world, self._rows).result()[0], self._thread)

    def single(self) -> ObservingStepper:
        return _ObservingOnThread(SessionStepper(self._world, 1), self._thread)

    def close(self) -> None:
        self._thread.submit(self._world.close)
        self._thread.shutdown(wait=True)


class _OnThread:
    """A stepper whose world belongs to a thread: called from any, it works on that one."""

    def __init__(self, stepper: Stepper, thread: ThreadPoolExecutor) -> None:
        self._stepper, self._thread = stepper, thread
        self.rows, self.low, self.high, self.fps = stepper.rows, stepper.low, stepper.high, stepper.fps

    def start(self, row: int, start: Start, seed: int) -> Frame | RowError:
        return self._thread.submit(self._stepper.start, row, start, seed).result()

    def frames_in_next_step(self, row: int) -> int:
        return self._thread.submit(self._stepper.frames_in_next_step, row).result()

    def step(self, actions: Mapping[int, Actions]) -> Mapping[int, Frames | RowError]:
        return self._thread.submit(self._stepper.step, actions).result()

    def end(self, row: int) -> None:
        self._thread.submit(self._stepper.end, row).result()


class _ObservingOnThread(_OnThread):
    """The same for one that observes."""

    def __init__(self, stepper: ObservingStepper, thread: ThreadPoolExecutor) -> None:
        super().__init__(stepper, thread)
        self._observing = stepper

    def observe(self, row: int, frames: Frames, actions: Actions) -> RowError | None:
        return self._thread.submit(self._observing.observe, row, frames, actions).result()

    def peek(self, row: int, actions: Actions) -> Frames | RowError:
        return self._thread.submit(self._observing.peek, row, actions).result()
