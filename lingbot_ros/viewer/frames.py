"""Frames on their way to a page: a header of 24 bytes and the encoded image; the newest frame wins."""

import asyncio
import struct
from dataclasses import dataclass
from enum import IntEnum

_HEADER = struct.Struct("<BBHIdfI")
_VERSION = 1

IN_FLIGHT = 2
"""Frames that a page may not have acknowledged yet. More would only wait in the buffers of a slow link."""


class Codec(IntEnum):
    """How the image of a frame is encoded."""

    JPEG = 1
    PNG = 2


@dataclass(frozen=True)
class Frame:
    """One encoded image.

    stream: 0 = the present, 1 to 6 = the futures. time_s: imagined time. trust: 0 to 1, NaN = not estimated.
    frames_since_real: imagined frames since the last real image.
    """

    codec: Codec
    image: bytes
    stream: int = 0
    time_s: float = 0.0
    trust: float = float("nan")
    frames_since_real: int = 0


def pack(frame: Frame, sequence: int) -> bytes:
    """The binary message of a frame; little-endian."""
    header = _HEADER.pack(
        _VERSION,
        frame.codec,
        frame.stream,
        sequence & 0xFFFFFFFF,
        frame.time_s,
        frame.trust,
        min(frame.frames_since_real, 0xFFFFFFFF),
    )
    return header + frame.image


class FrameSlot:
    """What one page is still to be sent: per stream the newest frame. Used on the event loop only.

    `take` waits until there is a frame and fewer than `IN_FLIGHT` are unacknowledged.
    """

    def __init__(self) -> None:
        self._newest: dict[int, Frame] = {}
        self._sent = self._acknowledged = 0
        self._watching = True
        self._changed = asyncio.Event()

    def put(self, frame: Frame) -> None:
        """Replace the waiting frame of the same stream."""
        self._newest[frame.stream] = frame
        self._changed.set()

    def acknowledge(self, sequence: int) -> None:
        """The page has received the frame of that number; numbers that were never sent change nothing."""
        if self._acknowledged < sequence <= self._sent:
            self._acknowledged = sequence
            self._changed.set()

    def watch(self, watching: bool) -> None:
        """A hidden page gets no frames."""
        self._watching = watching
        self._changed.set()

    async def take(self) -> bytes:
        """The next message, oldest stream first."""
        while not (self._newest and self._watching and self._sent - self._acknowledged < IN_FLIGHT):
            self._changed.clear()
            await self._changed.wait()
        stream = next(iter(self._newest))
        self._sent += 1
        return pack(self._newest.pop(stream), self._sent)
