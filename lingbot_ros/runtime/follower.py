"""Decides which chunk of the active session is observed instead of imagined, and with which images and controls."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from lingbot_ros.errors import InputError, LingbotError
from lingbot_ros.runtime.commands import MotionState
from lingbot_ros.runtime.control_times import ExpectedImage
from lingbot_ros.runtime.enums import Mode
from lingbot_ros.runtime.inbox import ControlInbox
from lingbot_ros.runtime.real_images import ObserveSettings, RealImage, RealImages, same_aspect, wrong_aspect
from lingbot_ros.runtime.records import NANOSECONDS, Control
from lingbot_ros.runtime.served_session import ServedSession


@dataclass(frozen=True)
class Observed:
    """A chunk that really happened: one image and one control per frame."""

    images: Sequence[RealImage]
    controls: Sequence[Control]


class Otherwise(Enum):
    """What happens with a chunk that is not observed."""

    IMAGINE = auto()
    WAIT = auto()


class Follower:
    """Single-threaded: the worker asks before each chunk that the inbox drives.

    A chunk of n frames is due once `every` - n frames or more were imagined since the last real one. Lockstep then
    waits for the images that its controls led to, and imagines the chunk only when later images show that one of them
    will not come. Realtime takes the newest images for which controls are known, and never waits.
    """

    def __init__(
        self,
        settings: ObserveSettings,
        images: RealImages,
        inbox: ControlInbox,
        mode: Mode,
        fps: float,
        on_error: Callable[[Exception], None],
    ) -> None:
        self._every, self._images, self._inbox, self._mode = settings.every, images, inbox, mode
        self._period_ns, self._on_error = round(NANOSECONDS / fps), on_error
        self._past_ns: int | None = None  # images stamped by then belong to frames that were made already

    def next_chunk(self, served: ServedSession, count: int, motion_state: MotionState) -> Observed | Otherwise:
        """What the next `count` frames of the active session are made of; an answer but WAIT is acted on at once."""
        if not self._every:
            return Otherwise.IMAGINE
        due = served.session.frames_since_real + count >= self._every
        return (self._in_lockstep if self._mode is Mode.LOCKSTEP else self._in_realtime)(count, motion_state, due)

    def could_observe(self) -> bool:
        """Whether there is anything to observe, should a chunk be due."""
        return bool(self._every and self._images.waiting())

    def check(self, served: ServedSession) -> None:
        """Refuse images that this session can never observe, with an error each; forget those that came too late."""
        for image in self._images.waiting():
            if (error := _misfit(image, served)) is not None:
                self._refuse(image, error)
        self._images.drop_until(max(served.start_stamp_ns, self._past_ns or served.start_stamp_ns))

    def take_first(self) -> RealImage | None:
        """The oldest image, to start a session from."""
        waiting = self._images.waiting()
        if waiting:
            self._images.drop_until(waiting[0].stamp_ns, waiting[:1])
        return waiting[0] if waiting else None

    def clear(self) -> None:
        """Another session took over."""
        self._images.clear()
        self._past_ns = None

    def _in_lockstep(self, count: int, motion_state: MotionState, due: bool) -> Observed | Otherwise:
        expected = self._inbox.expected_images(count, self._period_ns)
        self._refuse_uncontrolled(expected[0])
        waiting = self._images.waiting()
        found = [_first_that_fits(waiting, each) for each in expected]
        images = [image for image in found if image is not None]
        if due and len(images) < count:
            lost = [image is None and waiting and waiting[-1].stamp_ns > each.until_ns
                    for image, each in zip(found, expected, strict=True)]  # fmt: skip
            if not any(lost):
                return Otherwise.WAIT
        observed = due and len(images) == count
        self._past_ns = expected[-1].until_ns
        self._images.drop_until(self._past_ns, images if observed else ())
        controls = self._inbox.take(count, motion_state) if observed else None
        return Otherwise.IMAGINE if controls is None else Observed(images, controls)

    def _refuse_uncontrolled(self, expected: ExpectedImage) -> None:
        """Images between the last chunk's and the next control's: no control led to them."""
        for image in self._images.waiting():
            if image.stamp_ns <= expected.at_ns - expected.tolerance_ns:
                self._refuse(image, self._no_control(image))

    def _in_realtime(self, count: int, motion_state: MotionState, due: bool) -> Observed | Otherwise:
        waiting = self._images.waiting() if due else ()
        for last in reversed(waiting):
            stamps_ns = [last.stamp_ns - back * self._period_ns for back in reversed(range(count))]
            nearest = [_nearest(waiting, stamp_ns, self._period_ns // 2) for stamp_ns in stamps_ns]
            images = [image for image in nearest if image is not None]
            controls = self._inbox.controls_before([image.stamp_ns for image in images], self._period_ns, motion_state)
            if len(images) == count and None not in controls:
                self._past_ns = last.stamp_ns
                self._images.drop_until(last.stamp_ns, images)
                self._inbox.skip(count)
                return Observed(images, [control for control in controls if control is not None])
            if time.monotonic() - last.received_s > self._inbox.timeout_s and controls and controls[-1] is None:
                self._refuse(last, self._no_control(last))
        return Otherwise.IMAGINE

    def _refuse(self, image: RealImage, error: LingbotError) -> None:
        self._images.reject(image)
        self._on_error(error)

    def _no_control(self, image: RealImage) -> InputError:
        period_s = self._period_ns / NANOSECONDS
        return InputError(
            "observed_image.header.stamp",
            f"{image.stamp_ns / NANOSECONDS:.3f} s",
            "no control led to it: give it an action or a velocity stamped about one frame period "
            f"({period_s:.3f} s) before, or a camera pose stamped with its own time",
        )


def _misfit(image: RealImage, served: ServedSession) -> InputError | None:
    if image.stamp_ns < served.start_stamp_ns:
        return InputError(
            "observed_image.header.stamp",
            f"{image.stamp_ns / NANOSECONDS:.3f} s",
            f"session '{served.id}' began at {served.start_stamp_ns / NANOSECONDS:.3f} s: give images taken later, or "
            "start the session with its first image's own time as start_stamp",
        )
    if served.given_size is not None and not same_aspect(image.given_size, served.given_size):
        return wrong_aspect("observed_image", image.given_size, served.given_size)
    return None


def _first_that_fits(images: Sequence[RealImage], expected: ExpectedImage) -> RealImage | None:
    return next((image for image in images if expected.fits(image.stamp_ns)), None)


def _nearest(images: Sequence[RealImage], stamp_ns: int, tolerance_ns: int) -> RealImage | None:
    nearest = min(images, key=lambda image: abs(image.stamp_ns - stamp_ns))
    return nearest if abs(nearest.stamp_ns - stamp_ns) <= tolerance_ns else None
