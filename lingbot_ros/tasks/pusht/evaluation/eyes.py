"""What policies that see images alone know of pusher and block."""

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.tasks.pusht.block_pose import BlockPose, fit_block_pose, track_block_pose
from lingbot_ros.tasks.pusht.geometry import ARENA_SIZE, to_units
from lingbot_ros.tasks.pusht.image_reader import pusher_centre, read_shares

Floats = NDArray[np.float64]


class Eyes:
    """Reads pusher and T off images, and remembers both for images in which one of them cannot be seen."""

    def __init__(self) -> None:
        self._block: BlockPose | None = None
        self._pusher = np.full(2, ARENA_SIZE / 2)

    def read(self, frame: NDArray[np.uint8]) -> tuple[Floats, Floats]:
        """Pusher [2] and the T's pose [3], units and radians; NaN for a T that was never seen."""
        shares = read_shares(frame)
        found = fit_block_pose(shares) if self._block is None else track_block_pose(shares, self._block)
        if np.isfinite(found.pose).all() or self._block is None:
            self._block = found
        pusher = to_units(pusher_centre(shares), frame.shape[0])
        if np.isfinite(pusher).all():
            self._pusher = pusher
        return self._pusher, self._block.pose
