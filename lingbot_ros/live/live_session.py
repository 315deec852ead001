"""A session of the core and what the outside knows about it."""

import time
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.world import Session

Image = NDArray[np.uint8]


@dataclass(eq=False)
class LiveSession:
    """Owned by the worker's thread.

    id is the name that clients use; the core may know the session by another one, so that a new session can take the
    name of one that still lives. first_frame: uint8 [H, W, 3] as the model sees it, None for a restored session.
    intrinsics: float64 [3, 3] in pixels of the model's frames. real_frame: index of the last real picture.
    """

    id: str
    session: Session
    start_stamp_ns: int
    parent_id: str = ""
    branch_frame: int = 0
    real_frame: int = 0
    lease_s: float = 0.0
    first_frame: Image | None = None
    intrinsics: NDArray[np.float64] | None = None
    created_ns: int = field(default_factory=time.time_ns)
    used_s: float = field(default_factory=time.monotonic)

    def expired(self) -> bool:
        """Whether nobody used it for longer than its lease."""
        return self.lease_s > 0 and time.monotonic() - self.used_s > self.lease_s
