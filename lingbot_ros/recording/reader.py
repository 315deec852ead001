"""Frames of a bag that `~/record` wrote, in order, each with what it was imagined from. Needs no ROS."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from lingbot_ros.errors import InputError
from lingbot_ros.recording.bag_file import BagFile
from lingbot_ros.recording.frame_topics import CountedTopic, frame_topics

T = TypeVar("T")

STATUS = "lingbot_msgs/msg/ImaginationStatus"
_NEEDED = frozenset({"image", "camera", "info", "control"})
KIND_SEED, KIND_IMAGINED, KIND_OBSERVED = 1, 2, 3


@dataclass(frozen=True)
class RecordedFrame:
    """One frame. image: uint8 [H, W, 3] RGB; exact: not JPEG. control: float64 [dim] or [16]; empty for a seed.

    intrinsics: float64 [3, 3] in pixels (pixel centres at whole numbers), or None when unknown. given: of a seed, the
    image before it was resized to the model's size, where that changed it.
    """

    session_id: str
    model: str
    seed: int
    prompt: str
    kind: int
    frame_index: int
    chunk_index: int
    chunk_frames: int
    control: NDArray[np.float64]
    intrinsics: NDArray[np.float64] | None
    image: NDArray[np.uint8]
    exact: bool
    given: NDArray[np.uint8] | None = None


@dataclass(frozen=True)
class RecordedEngine:
    """What imagined the frames, as far as the bag says."""

    engine: str
    device: str
    precision: str
    threads: int


class BagReader:
    """Context manager. Raises InputError for a folder that is no bag or lacks what a replay needs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._bag = BagFile(folder)
        try:
            counted = [CountedTopic(c.topic, c.kind, n) for c, n in self._bag.counts.items()]
            self._part_of = frame_topics(counted)
        except BaseException:
            self._bag.close()
            raise

    def __enter__(self) -> "BagReader":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bag.close()

    @property
    def frame_count(self) -> int:
        """How many frames the node published while it recorded."""
        return sum(count for channel, count in self._bag.counts.items() if self._part_of.get(channel.topic) == "info")

    def engine(self) -> RecordedEngine | None:
        """From the first status in the bag."""
        wanted = [channel for channel in self._bag.channels if channel.kind == STATUS]
        for _, status in self._bag.decoded(wanted):
            return RecordedEngine(status.engine, status.device, status.precision, status.threads)
        return None

    def parameter(self, name: str, default: T, parse: Callable[[str], T]) -> T:
        """A parameter of the recording node; `default` where the bag does not say, as those of another recorder.

        parse: raises ValueError for what cannot be a value of it. Then: InputError.
        """
        if name not in self._bag.custom:
            return default
        said = self._bag.custom[name]
        try:
            return parse(str(said))
        except ValueError as error:
            fix = "correct what custom_data in metadata.yaml says"
            raise InputError(f"{name} of '{self._folder}'", said, fix) from error

    def frames(self) -> Iterator[RecordedFrame]:
        """All frames, as they were published; the parts of one are found by their common stamp."""
        part_of = self._part_of
        wanted = [channel for channel in self._bag.channels if channel.topic in part_of]
        if missing := _NEEDED - set(part_of.values()):
            fix = "a replay needs what the node's ~/record writes"
            raise InputError("bag", f"'{self._folder}', which has no {', '.join(sorted(missing))}", fix)
        stamp: tuple[int, int] | None = None
        parts: dict[str, Any] = {}
        for channel, message in self._bag.decoded(wanted):
            now = message.header.stamp.sec, message.header.stamp.nanosec
            if now != stamp:
                stamp, parts = now, {}
            parts[part_of[channel.topic]] = message
            if parts.keys() >= _NEEDED:
                yield self._frame(parts)
                stamp = None

    def _frame(self, parts: dict[str, Any]) -> RecordedFrame:
        try:
            return _frame(parts)
        except (AttributeError, TypeError, ValueError) as error:
            fix = f"a frame in it is damaged, or of another version of lingbot_msgs: {error}"
            raise InputError("bag", f"'{self._folder}'", fix) from error


def _frame(parts: dict[str, Any]) -> RecordedFrame:
    info, image, camera = parts["info"], parts["image"], parts["camera"]
    exact = hasattr(image, "encoding")
    intrinsics = np.asarray(camera.k, np.float64).reshape(3, 3)
    return RecordedFrame(
        session_id=info.session_id,
        model=info.model,
        seed=info.seed,
        prompt=info.prompt,
        kind=info.kind,
        frame_index=info.frame_index,
        chunk_index=info.chunk_index,
        chunk_frames=info.chunk_frames,
        control=np.asarray(parts["control"].values, np.float64),
        intrinsics=intrinsics if intrinsics[0, 0] else None,
        image=_raw(image) if exact else decode_jpeg(np.asarray(image.data, np.uint8)),
        exact=exact,
        given=_raw(parts["given"]) if "given" in parts else None,
    )


def _raw(image: Any) -> NDArray[np.uint8]:
    if image.encoding != "rgb8" or image.step != 3 * image.width:
        raise InputError("image_raw.encoding", image.encoding, "replay bags of this node, whose images are rgb8")
    return np.array(image.data, np.uint8).reshape(image.height, image.width, 3)


def decode_jpeg(data: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8 [H, W, 3] RGB of an encoded image, uint8 [n]. Raises InputError for a damaged one."""
    bgr = cv2.imdecode(data, cv2.IMREAD_COLOR)
    if bgr is None:
        raise InputError("image_raw/compressed", f"{len(data)} bytes", "the bag holds a damaged JPEG")
    return np.asarray(bgr[:, :, ::-1], np.uint8)
