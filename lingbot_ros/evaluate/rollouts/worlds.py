"""The world models of this project as steppers: sessions one by one, or rows of batched forwards."""

from collections.abc import Mapping

import numpy as np

from lingbot_ros.errors import EngineError, InputError, LingbotError
from lingbot_ros.evaluate.policies.contract import Actions, Frame, Start
from lingbot_ros.evaluate.rollouts.stepper import Frames, RowError
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

    def end(self, row: int) -> None:
        self._sessions.pop(row).close()

    def _step(self, row: int, actions: Actions) -> Frames | RowError:
        try:
            return self._sessions[row].step(actions)
        except LingbotError as error:
            return RowError(str(error))


class BatchStepper:
    """Rows of batched forwards, in groups of `group` rows that share each forward.

    A group in which every row has ended costs nothing; one in which some have ended costs as much as before.
    """

    def __init__(self, world: World, rows: int, group: int = 16) -> None:
        """`rows` is rounded up to whole groups. Raises InputError, and EngineError for a model that has no batch."""
        self._world, self._group = world, min(_rows(group), _rows(rows))
        self.rows = -(-rows // self._group) * self._group
        self.low, self.high = _box(world)
        self.fps = world.card.fps
        self._batches: dict[int, Batch] = {}
        self._playing: set[int] = set()
        self._new_batch()  # refuse now what cannot be batched

    def start(self, row: int, start: Start, seed: int) -> Frame | RowError:
        if start.instruction:
            return RowError(f"{self._world.card.name} takes no text; leave the instruction empty")
        group = row // self._group
        if not self._members(group):
            self._batches[group] = self._new_batch()
        try:
            first = self._batches[group].start(row % self._group, start.image, seed)
        except InputError as error:
            return RowError(str(error))
        self._playing.add(row)
        return first

    def frames_in_next_step(self, row: int) -> int:
        return self._batches[row // self._group].frames_per_chunk

    def step(self, actions: Mapping[int, Actions]) -> dict[int, Frames | RowError]:
        shown: dict[int, Frames | RowError] = {}
        for group in sorted({row // self._group for row in actions}):
            mine = {row: values for row, values in actions.items() if row // self._group == group}
            if missing := self._members(group) - set(mine):
                raise InputError("actions", f"none for row {min(missing)}", "step the rows of a group together")
            frames = self._batches[group].step(self._table(mine))
            shown |= {row: frames[row % self._group] for row in mine}
        return shown

    def end(self, row: int) -> None:
        self._playing.discard(row)
        if not self._members(row // self._group):
            self._batches.pop(row // self._group, None)

    def _members(self, group: int) -> set[int]:
        return {row for row in self._playing if row // self._group == group}

    def _table(self, actions: Mapping[int, Actions]) -> Actions:
        """Controls of the whole group; rows that do not play hold the middle of the box."""
        count = len(next(iter(actions.values())))
        table = np.tile((self.low + self.high) / 2, (self._group, count, 1))
        for row, values in actions.items():
            table[row % self._group] = values
        return table

    def _new_batch(self) -> Batch:
        batch = Batch(self._world, self._group)
        # Every row of a batch must have begun; those that nobody plays begin at black.
        black = np.zeros((self._world.card.height, self._world.card.width, 3), np.uint8)
        for row in range(self._group):
            batch.start(row, black)
        return batch


def _rows(rows: int) -> int:
    if rows < 1:
        raise InputError("rows", rows, "give 1 or more")
    return rows


def _box(world: World) -> tuple[Actions, Actions]:
    spec = world.card.control
    if spec.kind != "action":
        raise EngineError(f"evaluate: {world.card.name} is not driven by actions; policies cannot drive it")
    return np.array(spec.low, np.float64), np.array(spec.high, np.float64)
