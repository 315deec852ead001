"""Stretches of real frames: what a model is shown, and what truly followed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Windows:
    """N windows of C context frames and the H frames that followed.

    frames uint8 [N, C+H, h, w, 3] RGB; actions [N, C+H-1, dim] in the units that a session takes; actions[:, k] leads
    from frame k to frame k + 1.
    """

    frames: NDArray[np.uint8]
    actions: NDArray[np.floating]
    context: int

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
    def past_actions(self) -> NDArray[np.floating]:
        """The actions [N, C-1, dim] between the context frames."""
        return self.actions[:, : self.context - 1]

    @property
    def future_actions(self) -> NDArray[np.floating]:
        """The actions [N, H, dim] that led to the real future."""
        return self.actions[:, self.context - 1 :]
