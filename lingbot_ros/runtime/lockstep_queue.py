"""Lockstep: one queue for all sources, in order of arrival, each entry one frame."""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

from lingbot_ros.errors import ErrorCode, LingbotError
from lingbot_ros.runtime.commands import ControlInput, MotionState, Plan, Velocity
from lingbot_ros.runtime.control_times import ExpectedImage, expected_image
from lingbot_ros.runtime.records import Control


class LockstepQueue:
    """Priorities mean nothing here: nothing is dropped, and what came first drives first, whatever its source."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._queue: deque[tuple[Control | Velocity, int]] = deque()  # the second: which frame of its plan

    def put(self, offer: ControlInput) -> None:
        """All frames of the offer or none: raises LingbotError (BUSY) when they do not fit."""
        frames = offer.controls if isinstance(offer, Plan) else (offer,)
        if len(self._queue) + len(frames) > self._capacity:
            raise LingbotError(
                f"{offer.source.name.lower()}: {len(self._queue)} controls already wait for the generator, at most "
                f"{self._capacity} may (input.queue); send the next ones when frames have come",
                ErrorCode.BUSY,
            )
        self._queue.extend((frame, number) for number, frame in enumerate(frames))

    def take(self, count: int, motion_state: MotionState) -> Sequence[Control] | None:
        """The next `count`, or None while there are fewer. A velocity moves on from the frame before it."""
        if len(self._queue) < count:
            return None
        controls: list[Control] = []
        for _ in range(count):
            entry, _ = self._queue.popleft()
            if isinstance(entry, Velocity):
                entry = entry.control(
                    motion_state.motion.advance(motion_state.start(entry.start), entry.rates, level=entry.level)
                )
            controls.append(entry)
            motion_state = replace(motion_state, values=entry.values)
        return controls

    def expected_images(self, count: int, period_ns: int) -> list[ExpectedImage]:
        """When the images are taken that the next `count` entries lead to; there must be as many."""
        return [expected_image(entry, number, period_ns) for entry, number in islice(self._queue, count)]

    def clear(self) -> int:
        """Returns how many were dropped."""
        count = len(self._queue)
        self._queue.clear()
        return count

    def __len__(self) -> int:
        return len(self._queue)
