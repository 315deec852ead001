"""How the rows of a batch go through one forward, whatever their model is."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.control.camera import Lens
from lingbot_ros.errors import InputError
from lingbot_ros.model.autoencoder import Frames
from lingbot_ros.world.branch import ChunkInputs
from lingbot_ros.world.session import Session


class Rows(Protocol):
    """The rows of one kind of model."""

    def new_session(self, row: int, seed: int, lens: Lens | None) -> Session:
        """An empty session in the place of a row; `lens` is its camera, if it has one."""

    def read(
        self, sessions: Mapping[int, Session], controls: NDArray[np.float64]
    ) -> tuple[dict[int, ChunkInputs], dict[int, InputError]]:
        """What the next chunk of these rows is made from, of controls [size, n, ...]; and why others were refused."""

    def imagine(self, sessions: Mapping[int, Session], inputs: Mapping[int, ChunkInputs]) -> Frames:
        """The next chunk of the rows in `inputs`, committed: frames [len(inputs), n, H, W, 3]. What it raises has
        changed nothing.
        """


def read_each(
    sessions: Mapping[int, Session], controls: NDArray[np.float64]
) -> tuple[dict[int, ChunkInputs], dict[int, InputError]]:
    """See `Rows.read`: row by row, as a session alone reads them."""
    inputs, refused = {}, {}
    for row, session in sessions.items():
        try:
            inputs[row] = session.read(controls[row])
        except InputError as error:
            refused[row] = InputError(f"row {row}: {error.field}", error.value, error.fix)
    return inputs, refused
