"""Futures as images: a batch of forks of one session, for models that know nothing but pixels."""

import numpy as np

from lingbot_ros.errors import InputError
from lingbot_ros.planning.futures import Floats, Futures
from lingbot_ros.world.batch import Batch
from lingbot_ros.world.session import Session
from lingbot_ros.world.world import World


class ImageRollouts:
    """From the present of a session. `rows` candidates go through one forward; more of them take several."""

    def __init__(self, world: World, session: Session, rows: int) -> None:
        """Raises InputError and EngineError as `Batch` does."""
        self._batch, self._start = Batch(world, rows), session.snapshot()

    def begin(self, session: Session) -> None:
        """From now on, futures begin at the present of this session."""
        self._start = session.snapshot()

    def roll(self, actions: Floats) -> Futures:
        """See `Rollouts`. T must be whole chunks."""
        rows, chunk = self._batch.size, self._batch.frames_per_chunk
        if actions.shape[1] % chunk:
            raise InputError("actions", f"{actions.shape[1]} frames", f"give whole chunks of {chunk}")
        parts = [self._roll(actions[first : first + rows], chunk) for first in range(0, len(actions), rows)]
        return Futures(actions, images=np.concatenate(parts))

    def _roll(self, actions: Floats, chunk: int) -> np.ndarray:
        used = range(len(actions))
        self._batch.spread(self._start, used)
        controls = np.zeros((self._batch.size, *actions.shape[1:]))
        controls[: len(actions)] = actions
        steps = range(0, actions.shape[1], chunk)
        frames = [self._batch.step(controls[:, step : step + chunk], used) for step in steps]
        if self._batch.ended:
            raise next(iter(self._batch.ended.values()))
        return np.concatenate(frames, axis=1)[: len(actions)]
