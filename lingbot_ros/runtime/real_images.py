"""Where real images wait until the active session is due to observe some."""

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from lingbot_ros.errors import ErrorCode, InputError, LingbotError
from lingbot_ros.runtime.enums import Mode
from lingbot_ros.runtime.records import Image


@dataclass(frozen=True, eq=False)
class RealImage:
    """image: uint8 [H, W, 3] RGB of the model's size. given_size: height and width in pixels as it came.

    stamp_ns: when it was taken, by the sender's clock; 0 = unknown. received_s: `time.monotonic()` at its arrival.
    """

    image: Image
    given_size: tuple[int, int]
    stamp_ns: int
    received_s: float


@dataclass(frozen=True)
class ObserveSettings:
    """every: of so many frames the last chunk is real, 0 = none is. capacity: images that may wait."""

    every: int = 0
    capacity: int = 64


@dataclass(frozen=True)
class ImageCounts:
    """Totals since the store was made; see ImaginationStatus."""

    received: int
    waiting: int
    unused: int
    rejected: int


def same_aspect(size: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether two sizes (height, width) are those of one image scaled, but for a pixel of rounding."""
    return abs(size[0] * other[1] - size[1] * other[0]) <= max(*size, *other)


def wrong_aspect(field: str, size: tuple[int, int], first: tuple[int, int]) -> InputError:
    """Of images that another camera than that of the session's first image has taken, or that were cropped."""
    fix = f"the session's first image had {first[0]} x {first[1]}: give images of that size, or scaled as a whole"
    return InputError(f"{field}.height, {field}.width", f"{size[0]} x {size[1]}", fix)


class RealImages:
    """Thread-safe. Any thread puts, the worker takes. Images lie in the order of their stamps.

    When it is full, realtime gives up the oldest image, and lockstep refuses the newest.
    """

    def __init__(self, mode: Mode, capacity: int) -> None:
        self._mode, self._capacity = mode, capacity
        self._lock = threading.Lock()
        self._images: deque[RealImage] = deque()
        self._received = self._unused = self._rejected = 0

    def put(self, image: RealImage) -> None:
        """Raises LingbotError (BUSY) when lockstep's store is full."""
        with self._lock:
            self._received += 1
            if len(self._images) >= self._capacity:
                if self._mode is Mode.LOCKSTEP:
                    raise LingbotError(
                        f"observed_image: {len(self._images)} images already wait, at most {self._capacity} may "
                        "(observe.queue); send the next ones when frames have come",
                        ErrorCode.BUSY,
                    )
                self._images.popleft()
                self._unused += 1
            self._images.append(image)

    def waiting(self) -> Sequence[RealImage]:
        """All that may still be observed, oldest first."""
        with self._lock:
            return tuple(self._images)

    def drop_until(self, stamp_ns: int, used: Sequence[RealImage] = ()) -> None:
        """Forget images that were stamped by then; all but the `used` ones count as unused."""
        with self._lock:
            while self._images and self._images[0].stamp_ns <= stamp_ns:
                self._unused += self._images.popleft() not in used

    def reject(self, image: RealImage) -> None:
        """Forget an image that cannot be observed."""
        with self._lock:
            if image in self._images:
                self._images.remove(image)
                self._rejected += 1

    def add_rejected(self) -> None:
        """Count an image that could not be read."""
        with self._lock:
            self._rejected += 1

    def clear(self) -> None:
        """Forget all, because they were meant for another session."""
        with self._lock:
            self._unused += len(self._images)
            self._images.clear()

    def counts(self) -> ImageCounts:
        with self._lock:
            return ImageCounts(self._received, len(self._images), self._unused, self._rejected)
