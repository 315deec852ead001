"""Values that travel between the threads of a live world. All are frozen; arrays in them are not written to again."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.runtime.enums import ControlSource, ControlState, FrameKind
from lingbot_ros.world import FrameView, StepTiming

Image = NDArray[np.uint8]
"""[height, width, 3], RGB."""

NANOSECONDS = 1_000_000_000


@dataclass(frozen=True)
class Control:
    """What drives one frame.

    values: float64, [dim] for an action model or [4, 4] camera-to-world (OpenCV axes, metres) for a camera model,
        with a fifth row of keys where the model takes them.
    stamp_ns: when it was decided, on the sender's clock. received_s: `time.monotonic()` at its arrival.
    """

    values: NDArray[np.float64]
    source: ControlSource
    received_s: float
    id: int = 0
    stamp_ns: int = 0
    state: ControlState = ControlState.FRESH

    @property
    def is_pose(self) -> bool:
        """Whether it says where a camera is, rather than what a robot does."""
        return self.values.ndim == 2


@dataclass(frozen=True)
class FrameRecord:
    """One frame and everything that is known about it.

    image: uint8 [H, W, 3] RGB. stamp_ns: imagined time, the session's start stamp + frame_index / fps.
    camera_pose: camera-to-world [4, 4]: of frame 0, and of later frames of models that do not always go where their
    control says; that of other frames is their control. view: what it shows, for models that can tell.
    given_image: of frame 0, as the session was given it, uint8 [h, w, 3] of any size.
    observed_stamp_ns: observed frames: when the image was taken, by the sender's clock; 0 = unknown.
    paced: publish it at its time rather than at once. frames_since_real: imagined frames since the last real image.
    trust: how far the frame can be believed, 0..1; NaN = not estimated.
    mask: uint8 [H, W], 255 seen, 127 painted, 0 unknown; None where the model cannot tell.
    """

    image: NDArray[np.uint8]
    stamp_ns: int
    session_id: str
    parent_id: str
    branch_frame: int
    seed: int
    prompt: str
    kind: FrameKind
    frame_index: int
    chunk_index: int
    frame_in_chunk: int
    chunk_frames: int
    frames_since_real: int
    control: Control | None
    timing: StepTiming
    intrinsics: NDArray[np.float64] | None = None
    camera_pose: NDArray[np.float64] | None = None
    view: FrameView | None = None
    given_image: NDArray[np.uint8] | None = None
    observed_stamp_ns: int = 0
    paced: bool = False
    trust: float = math.nan
    mask: NDArray[np.uint8] | None = None


@dataclass(frozen=True)
class SessionView:
    """A session as others may see it. memory_bytes is its state; start_stamp_ns the imagined time of frame 0.

    camera_pose: camera-to-world [4, 4] of the last frame, None where unknown.
    """

    session_id: str
    parent_id: str
    branch_frame: int
    active: bool
    seed: int
    prompt: str
    frame_index: int
    chunk_index: int
    next_chunk_frames: int
    start_stamp_ns: int
    stamp_ns: int
    created_ns: int
    lease_s: float
    memory_bytes: int
    intrinsics: NDArray[np.float64] | None
    camera_pose: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class StartRequest:
    """Everything a new session is made of.

    image: uint8 [h, w, 3] RGB of any size, or None for the model's example image. intrinsics: float64 [3, 3] in
    pixels of that image, or None. start_pose: camera-to-world [4, 4] (OpenCV axes) of frame 0 in the map, or None.
    start_stamp_ns: imagined time of frame 0. lease_s: 0 = never expires. given_size: height and width of the image
    that `image` was scaled from, None when it was not.
    """

    start_stamp_ns: int
    image: NDArray[np.uint8] | None = None
    intrinsics: NDArray[np.float64] | None = None
    start_pose: NDArray[np.float64] | None = None
    prompt: str = ""
    seed: int = 0
    session_id: str = ""
    in_background: bool = False
    replace_active: bool = False
    lease_s: float = 0.0
    given_size: tuple[int, int] | None = None


@dataclass(frozen=True)
class SavedSession:
    """Where a snapshot was written, its size in bytes, and the session it shows."""

    path: Path
    size: int
    session: SessionView


@dataclass(frozen=True)
class RolloutResult:
    """How a rollout ended: frames that were imagined, where the session stands, and why it stopped early, if it did."""

    frames: int
    duration_s: float
    session: SessionView | None
    error: BaseException | None = None


def stamp_after(start_ns: int, frame_index: int, fps: float) -> int:
    """Imagined time [ns] of a frame: exact to the nanosecond for any index, so that equal frames have equal stamps."""
    return start_ns + round(frame_index * NANOSECONDS / fps)
