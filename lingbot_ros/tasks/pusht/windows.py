"""Stretches of real Push-T on which an imagined future is measured: what came before, and what truly followed."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.evaluate.windows import Windows
from lingbot_ros.tasks.pusht.geometry import centroid_at

CONTACT_WITHIN = 16
"""A window has contact when its block is pushed within this many frames after the context."""

_PUSHED_UNITS = 10.0
_PUSHED_RADIANS = 0.1


def is_pushed(before: NDArray[np.floating], after: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Whether a block [..., 3] is more than 10 units (1.9 pixels of 96) or 0.1 rad from where it was before."""
    moved = np.linalg.norm(centroid_at(after) - centroid_at(before), axis=-1)
    return np.asarray((moved > _PUSHED_UNITS) | (np.abs(after[..., 2] - before[..., 2]) > _PUSHED_RADIANS))


@dataclass(frozen=True)
class PushTWindows(Windows):
    """N windows of C context frames and H frames that followed.

    Images are 96 pixels square, actions float32 pusher targets x, y. pusher, pusher_velocity float64 [N, C+H, 2];
    block float64 [N, C+H, 3] = x, y, angle; simulator units and radians.
    `seeds` are those of the episodes, `policies` the names of what drove them.
    """

    pusher: NDArray[np.float64]
    pusher_velocity: NDArray[np.float64]
    block: NDArray[np.float64]
    seeds: tuple[int, ...]
    policies: tuple[str, ...]

    @property
    def contact(self) -> NDArray[np.bool_]:
        """Which windows [N] have a block that is pushed by frame 16, or by the last one if that comes sooner."""
        last = self.context - 1
        return is_pushed(self.block[:, last], self.block[:, last + min(CONTACT_WITHIN, self.horizon)])

    def first(self, count: int) -> "PushTWindows":
        """The first `count` windows, or all if there are fewer."""
        arrays = {name: getattr(self, name)[:count] for name in _PER_WINDOW}
        return PushTWindows(context=self.context, **arrays)


_PER_WINDOW = tuple(field.name for field in fields(PushTWindows) if field.name != "context")
