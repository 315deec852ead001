"""A session of the core and what the outside knows about it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.runtime.intrinsics import pinhole_matrix
from lingbot_ros.runtime.records import Control
from lingbot_ros.world import Session

Image = NDArray[np.uint8]


@dataclass(eq=False)
class LiveSession:
    """Owned by the worker's thread.

    id is the name that clients use; the core may know the session by another one, so that a new session can take the
    name of one that still lives. first_frame: uint8 [H, W, 3] as the model sees it, None for a restored session.
    given_image: the same as it was given, uint8 [h, w, 3] of any size.
    given_intrinsics: float64 [3, 3] in pixels of the model's frames, for models that do not look at them. start_pose:
    camera-to-world [4, 4] of frame 0.
    """

    id: str
    session: Session
    start_stamp_ns: int
    parent_id: str = ""
    branch_frame: int = 0
    lease_s: float = 0.0
    first_frame: Image | None = None
    given_image: Image | None = None
    given_intrinsics: NDArray[np.float64] | None = None
    start_pose: NDArray[np.float64] | None = None
    last_control: Control | None = None
    created_ns: int = field(default_factory=time.time_ns)
    used_s: float = field(default_factory=time.monotonic)

    @property
    def intrinsics(self) -> NDArray[np.float64] | None:
        """Of its frames, float64 [3, 3]: those that the model uses, or what was given."""
        lens = self.session.lens
        return self.given_intrinsics if lens is None else pinhole_matrix(lens.intrinsics)

    @property
    def camera_pose(self) -> NDArray[np.float64] | None:
        """Camera-to-world [4, 4] of its last frame."""
        pose = self.session.camera_pose
        return self.start_pose if pose is None else pose

    def expired(self) -> bool:
        """Whether nobody used it for longer than its lease."""
        return self.lease_s > 0 and time.monotonic() - self.used_s > self.lease_s

    def outside(self) -> dict[str, Any]:
        """What a snapshot must carry beside the core's state, in JSON's types."""
        return {
            "session_id": self.id,
            "parent_id": self.parent_id,
            "branch_frame": self.branch_frame,
            "start_stamp_ns": self.start_stamp_ns,
            "given_intrinsics": None if self.given_intrinsics is None else self.given_intrinsics.tolist(),
            "start_pose": None if self.start_pose is None else self.start_pose.tolist(),
        }

    def recall(self, outside: Mapping[str, Any]) -> None:
        """Take what `outside` saved, all but the id; nothing from a snapshot that was not taken from a live session."""
        for name in ("parent_id", "branch_frame", "start_stamp_ns"):
            setattr(self, name, outside.get(name, getattr(self, name)))
        for name in ("given_intrinsics", "start_pose"):
            if name in outside:
                setattr(self, name, None if outside[name] is None else np.array(outside[name]))
