"""Uploaded images are bounded before they are decoded."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from lingbot_ros.errors import InputError
from lingbot_ros.viewer.uploads import Uploads


def png(width: int, height: int) -> bytes:
    data = io.BytesIO()
    Image.fromarray(np.full((height, width, 3), 7, np.uint8)).save(data, "PNG")
    return data.getvalue()


def claimed_png(width: int, height: int) -> bytes:
    """A PNG whose header names a size that its data do not have."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))


def test_an_image_is_kept_under_a_random_name() -> None:
    uploads = Uploads()
    name = uploads.add(png(4, 3))
    assert uploads.get(name).shape == (3, 4, 3)
    for _ in range(4):
        uploads.add(png(1, 1))
    with pytest.raises(InputError, match="upload the image again"):
        uploads.get(name)


@pytest.mark.parametrize("data", [b"", b"<svg/>", png(9, 9)[:40], claimed_png(20_000, 20_000), b"GIF89a" + bytes(50)])
def test_what_is_no_image_is_refused(data: bytes) -> None:
    with pytest.raises(InputError, match="image: got"):
        Uploads().add(data)
