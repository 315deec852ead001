"""Stretches of real Push-T on which an imagined future is judged: what came before, and what truly followed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class PushTWindows:
    """N windows of C context frames and H frames that followed.

    frames uint8 [N, C+H, 96, 96, 3] RGB; actions float32 [N, C+H-1, 2], actions[:, k] leads from frame k to k + 1;
    pusher, pusher_velocity float64 [N, C+H, 2]; block float64 [N, C+H, 3] = x, y, angle; simulator units and radians.
    `seeds` are those of the episodes, `policies` the names of what drove them.
    """

    context: int
    frames: NDArray[np.uint8]
    actions: NDArray[np.float32]
    pusher: NDArray[np.float64]
    pusher_velocity: NDArray[np.float64]
    block: NDArray[np.float64]
    seeds: tuple[int, ...]
    policies: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def horizon(self) -> int:
        """H, the number of frames to be imagined."""
        return int(self.frames.shape[1]) - self.context

    @property
    def past(self) -> NDArray[np.uint8]:
        """The context frames [N, C, ...]."""
        return self.frames[:, : self.context]

    @property
    def future(self) -> NDArray[np.uint8]:
        """The real frames [N, H, ...] that followed; index k - 1 is open-loop frame k."""
        return self.frames[:, self.context :]

    @property
    def past_actions(self) -> NDArray[np.float32]:
        """The actions [N, C-1, 2] between the context frames."""
        return self.actions[:, : self.context - 1]

    @property
    def future_actions(self) -> NDArray[np.float32]:
        """The actions [N, H, 2] that led to the real future."""
        return self.actions[:, self.context - 1 :]
