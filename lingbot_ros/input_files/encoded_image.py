"""JPEG and PNG, whose header is read first: the size they would have is known before memory is taken for it."""

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from lingbot_ros.errors import InputError
from lingbot_ros.input_files.regular import IMAGE_BYTES, read_file

MAX_PIXELS = 2**26
"""201 MB as RGB."""
_PNG = b"\x89PNG\r\n\x1a\n"
_NO_FRAME = (0xC4, 0xC8, 0xCC)
_WITHOUT_LENGTH = (0x01, *range(0xD0, 0xD9))


def decode_image(data: bytes, field: str) -> NDArray[np.uint8]:
    """uint8 [H, W, 3] RGB of a JPEG or PNG. Raises InputError for anything else, a damaged one, or a huge one."""
    check_encoded(data, field)
    try:
        bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise InputError(field, f"{len(data)} bytes", "it cannot be decoded") from error
    if bgr is None:
        raise InputError(field, f"{len(data)} bytes", "it is damaged; give a whole JPEG or PNG")
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


def read_image(path: Path, field: str) -> NDArray[np.uint8]:
    """The JPEG or PNG in a file, uint8 [H, W, 3] RGB. Raises InputError."""
    data = read_file(path, field, IMAGE_BYTES)
    try:
        return decode_image(data, field)
    except InputError as error:
        raise InputError(field, f"'{path}', {error.value}", error.fix) from error


def check_encoded(data: bytes, field: str) -> tuple[int, int]:
    """(height, width) of a JPEG or PNG that is whole and of bearable size, found without decoding it."""
    if data.startswith(_PNG):
        size = _of_png(data)
    elif data.startswith(b"\xff\xd8"):
        size = _of_jpeg(data)
    else:
        raise InputError(field, f"{len(data)} bytes", "give a whole JPEG or PNG")
    if size is None:
        raise InputError(field, f"{len(data)} bytes", "it ends early or is damaged; give a whole JPEG or PNG")
    height, width = size
    if not height or not width or height * width > MAX_PIXELS:
        raise InputError(field, f"{width}x{height} pixels", f"give an image of 1 to {MAX_PIXELS} pixels")
    return size


def _of_png(data: bytes) -> tuple[int, int] | None:
    """Walks the chunks to the end, with their checksums."""
    at, size = len(_PNG), None
    while at + 12 <= len(data):
        (length,), kind = struct.unpack_from(">I", data, at), data[at + 4 : at + 8]
        end = at + 12 + length
        if end > len(data) or zlib.crc32(data[at + 4 : end - 4]) != struct.unpack_from(">I", data, end - 4)[0]:
            return None
        if kind == b"IHDR" and length >= 8:
            width, height = struct.unpack_from(">II", data, at + 8)
            size = height, width
        if kind == b"IEND":
            return size
        at = end
    return None


def _of_jpeg(data: bytes) -> tuple[int, int] | None:
    """Walks the segments to the scan, which must have an end."""
    at, size = 2, None
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker in _WITHOUT_LENGTH:
            at += 2
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        if 0xC0 <= marker <= 0xCF and marker not in _NO_FRAME and at + 9 <= len(data):
            height, width = struct.unpack_from(">HH", data, at + 5)
            size = height, width
        if marker == 0xDA:
            return size if data.rfind(b"\xff\xd9") > at else None
        at += 2 + length
    return None
