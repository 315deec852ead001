"""The world models of this project as steppers: sessions one by one, or rows of batched forwards."""

from collections.abc import Mapping

import numpy as np

from lingbot_ros.errors import EngineError, InputError, LingbotError
from lingbot_ros.evaluate.policies.contract import Actions, Frame, Start
from lingbot_ros.evaluate.rollouts.stepper import Frames, RowError, Stepper
from lingbot_ros.world.batch import Batch
from lingbot_ros.world.session import Session
from lingbot_ros.world.world import World


class SessionStepper:
    """A session for every row, stepped one after the other: any action model, and rows that ended cost nothing."""

    def __init__(self, world: World, rows: int) -> None:
        """Raises InputError for no rows, EngineError for a model that is not driven by actions."""
        self.rows, self._world = _rows(rows), world
        self.low, self.high = _box(world)
        self.fps = world.card.fps
        self._sessions: dict[int, Session] = {}

    def start(self, row: int, start: Start, seed: int) -> Frame | RowError:
        try:
            session = self._world.start(start.image, seed=seed, prompt=start.instruction)
        except LingbotError as error:
            return RowError(str(error))
        self._sessions[row] = session
        return self._world.fit_image(start.image)

    def frames_in_next_step(self, row: int) -> int:
        return self._sessions[row].frames_in_next_chunk

    def step(self, actions: Mapping[int, Actions]) -> dict[int, Frames | RowError]:
        return {row: self._step(row, mine) for row, mine in actions.items()}

    def observe(self, row: int, frames: Frames, actions: Actions) -> RowError | None:
        try:
            self._sessions[row].observe(frames, actions)
        except LingbotError as error:
            return RowError(str(error))
        return None

    def peek(self, row: int, actions: Actions) -> Frames | RowError:
        try:
            fork = self._sessions[row].fork()
        except LingbotError as error:
            return RowError(str(error))
        try:
            return fork.step(actions)
        except LingbotError as error:
            return RowError(str(error))
        finally:
            fork.close()

    def end(self, row: int) -> None:
        self._sessions.pop(row).close()

    def _step(self, row: int, actions: Actions) -> Frames | RowError:
        try:
            return self._sessions[row].step(actions)
        except LingbotError as error:
            return RowError(str(error))


class BatchStepper:
    """Rows of batched forwards: those that ended, and those that nobody steps, cost nothing."""

    def __init__(self, world: World, rows: int) -> None:
        """Raises InputError for no rows, EngineError for a model that has no batch or is not driven by actions."""
        self.rows = _rows(rows)
        self.low, self.high = _box(world)
        self.fps = world.card.fps
        self._batch = Batch(world, rows)
        self._text_refused = f"{world.card.name} takes no text; leave the instruction empty"

    def start(self, row: int, start: Start, seed: int) -> Frame | RowError:
        if start.instruction:
            return RowError(self._text_refused)
        try:
            return self._batch.start(row, start.image, seed)
        except InputError as error:
            return RowError(str(error))

    def frames_in_next_step(self, row: int) -> int:
        return self._batch.frames_per_chunk

    def step(self, actions: Mapping[int, Actions]) -> dict[int, Frames | RowError]:
        table = np.zeros((self.rows, self._batch.frames_per_chunk, len(self.low)))
        for row, values in actions.items():
            table[row] = values
        frames = self._batch.step(table, rows=sorted(actions))
        ended = self._batch.ended
        return {row: RowError(str(ended[row])) if row in ended else frames[row] for row in actions}

    def end(self, row: int) -> None:
        """The place waits for its next start."""


def best_stepper(world: World, rows: int) -> tuple[Stepper, str]:
    """Rows of one batch where the model can, else sessions one by one; and why there is no batch, or empty.

    Raises as `SessionStepper`.
    """
    try:
        return BatchStepper(world, rows), ""
    except EngineError as error:
        return SessionStepper(world, rows), f"no batched forwards: {error}"


def _rows(rows: int) -> int:
    if rows < 1:
        raise InputError("rows", rows, "give 1 or more")
    return rows


def _box(world: World) -> tuple[Actions, Actions]:
    spec = world.card.control
    if spec.kind != "action":
        raise EngineError(f"evaluate: {world.card.name} is not driven by actions; policies cannot drive it")
    return np.array(spec.low, np.float64), np.array(spec.high, np.float64)
