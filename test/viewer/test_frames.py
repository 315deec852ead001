"""Frames to a page: the newest wins, two at most are on their way."""

import asyncio
import math
import struct

import pytest

from lingbot_ros.viewer.frames import Codec, Frame, FrameSlot, pack


def frame(stream: int, image: bytes) -> Frame:
    return Frame(Codec.PNG, image, stream)


def test_the_header_is_24_bytes_little_endian() -> None:
    message = pack(Frame(Codec.JPEG, b"image", 3, 12.5, 0.25, 7), 9)
    assert struct.unpack("<BBHIdfI", message[:24]) == (1, 1, 3, 9, 12.5, 0.25, 7)
    assert message[24:] == b"image"
    assert math.isnan(struct.unpack("<f", pack(frame(0, b""), 1)[16:20])[0])


async def taken(slot: FrameSlot) -> bytes | None:
    """The next image, or None when the slot waits."""
    pending = asyncio.ensure_future(slot.take())
    for _ in range(3):
        await asyncio.sleep(0)
    if pending.done():
        return pending.result()[24:]
    pending.cancel()
    return None


def test_newest_wins_and_acknowledgements_are_awaited() -> None:
    async def scenario() -> None:
        slot = FrameSlot()
        slot.put(frame(0, b"old"))
        slot.put(frame(0, b"new"))
        slot.put(frame(1, b"future"))
        assert [await taken(slot), await taken(slot)] == [b"new", b"future"]
        slot.put(frame(0, b"third"))
        assert await taken(slot) is None
        slot.acknowledge(99)  # never sent
        assert await taken(slot) is None
        slot.put(frame(0, b"fourth"))
        slot.acknowledge(1)
        assert await taken(slot) == b"fourth"

    asyncio.run(scenario())


def test_a_hidden_page_gets_nothing() -> None:
    async def scenario() -> None:
        slot = FrameSlot()
        slot.put(frame(0, b"one"))
        slot.watch(False)
        assert await taken(slot) is None
        slot.watch(True)
        assert await taken(slot) == b"one"

    asyncio.run(scenario())


@pytest.mark.parametrize("since_real", [0, 2**32 - 1, 2**40])
def test_any_count_can_be_packed(since_real: int) -> None:
    pack(Frame(Codec.JPEG, b"", frames_since_real=since_real), 2**33)
