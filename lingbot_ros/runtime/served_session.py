"""A session of the core and what the outside knows about it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.errors import InputError, SnapshotError
from lingbot_ros.runtime.intrinsics import pinhole_matrix
from lingbot_ros.runtime.records import Control, stamp_after
from lingbot_ros.sendable import MAX_COUNT, MAX_SEED, MAX_STAMP_NS, NAME_BYTES, require_text, require_whole
from lingbot_ros.world import Session, SnapshotMeta

Image = NDArray[np.uint8]


Outside = Mapping[str, Any]
"""Fields of a ServedSession by name, checked."""


@dataclass(eq=False)
class ServedSession:
    """Owned by the worker's thread.

    id is the name that clients use; the core may know the session by another one, so that a new session can take the
    name of an open session. first_frame: uint8 [H, W, 3] as the model sees it, None for a restored session.
    given_image: the same as it was given, uint8 [h, w, 3] of any size.
    given_intrinsics: float64 [3, 3] in pixels of the model's frames, for models that do not look at them. start_pose:
    camera-to-world [4, 4] of frame 0. given_size: height and width in pixels of the first image as it was given, None
    where that is not known.
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
    given_size: tuple[int, int] | None = None
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
            "given_size": None if self.given_size is None else list(self.given_size),
        }

    def recall(self, outside: Outside) -> None:
        """Take what `outside` saved, all but the id; nothing from a snapshot that was not taken from a live session."""
        for name, value in outside.items():
            setattr(self, name, value)


def checked_outside(meta: SnapshotMeta, fps: float) -> Outside:
    """What a snapshot's holder saved with it. Raises SnapshotError for what no message could say or cannot be."""
    saved = meta.outside
    found: dict[str, Any] = {}
    try:
        require_whole("snapshot.seed", meta.seed, 0, MAX_SEED)
        if "parent_id" in saved:
            found["parent_id"] = require_text("snapshot.parent_id", saved["parent_id"], NAME_BYTES)
        for name in ("branch_frame",):
            if name in saved:
                found[name] = require_whole(f"snapshot.{name}", saved[name], 0, meta.frame_index)
        lived_ns = stamp_after(0, meta.frame_index, fps)
        start_ns = saved.get("start_stamp_ns", 0)
        require_whole("snapshot.start_stamp_ns", start_ns, -lived_ns, MAX_STAMP_NS - lived_ns)
        if "start_stamp_ns" in saved:
            found["start_stamp_ns"] = start_ns
        for name, size in (("given_intrinsics", 3), ("start_pose", 4)):
            if name in saved:
                found[name] = None if saved[name] is None else _matrix(f"snapshot.{name}", saved[name], size)
        if saved.get("given_size") is not None:
            found["given_size"] = _size("snapshot.given_size", saved["given_size"])
    except InputError as error:
        raise SnapshotError(f"{error}; the file is whole but was not written by a session: restore another") from error
    return found


def _matrix(field: str, value: object, size: int) -> NDArray[np.float64]:
    try:
        matrix = np.array(value, np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(field, type(value).__name__, f"give {size} x {size} numbers") from error
    if matrix.shape != (size, size) or not np.isfinite(matrix).all():
        raise InputError(field, f"shape {list(matrix.shape)}", f"give {size} x {size} finite numbers")
    return matrix


def _size(field: str, value: object) -> tuple[int, int]:
    if not isinstance(value, list) or len(value) != 2:
        raise InputError(field, type(value).__name__, "give height and width")
    height, width = (require_whole(field, side, 1, MAX_COUNT) for side in value)
    return height, width
