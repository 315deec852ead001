"""What comes from outside is bounded before it is read."""

import os
import struct
import threading
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from lingbot_ros.errors import InputError
from lingbot_ros.input_files.encoded_image import check_encoded, decode_image, read_image
from lingbot_ros.input_files.regular import read_file, read_text
from lingbot_ros.input_files.yaml_text import parse_yaml
from test.support.hostile_files import LAUGHS, MERGES, huge_png

IMAGE = np.random.default_rng(0).integers(0, 256, (40, 30, 3), np.uint8)
PNG = cv2.imencode(".png", IMAGE[..., ::-1])[1].tobytes()
JPEG = cv2.imencode(".jpg", IMAGE[..., ::-1])[1].tobytes()


def huge_jpeg() -> bytes:
    at = JPEG.index(b"\xff\xc0") + 5
    return JPEG[:at] + struct.pack(">HH", 60000, 60000) + JPEG[at + 4 :]


def test_whole_images_are_read(tmp_path: Path) -> None:
    np.testing.assert_array_equal(decode_image(PNG, "image"), IMAGE)
    assert check_encoded(JPEG, "image") == (40, 30)
    # Cameras pad what they send.
    assert decode_image(JPEG + bytes(100), "image").shape == (40, 30, 3)
    (tmp_path / "x.png").write_bytes(PNG)
    np.testing.assert_array_equal(read_image(tmp_path / "x.png", "image"), IMAGE)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "give a whole JPEG or PNG"),
        (b"GIF89a" + bytes(50), "give a whole JPEG or PNG"),
        (PNG[:-20], "ends early or is damaged"),
        (PNG[:60] + b"\0\0\0" + PNG[63:], "ends early or is damaged"),
        (JPEG[:-20], "ends early or is damaged"),
        (JPEG[:30], "ends early or is damaged"),
        (huge_png(20_000), "20000x20000 pixels; give an image of 1 to"),
        (huge_png(40_000), "40000x40000 pixels"),
        (huge_png(2**31 - 1), "pixels; give an image"),
        (huge_png(0), "0x0 pixels"),
        (huge_jpeg(), "60000x60000 pixels"),
    ],
)
def test_damaged_and_huge_images_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        decode_image(data, "seed_image")
    assert str(error.value).startswith("seed_image: got ") and len(str(error.value)) < 300


def fifo(folder: Path) -> Path:
    os.mkfifo(folder / "pipe")
    return folder / "pipe"


def sparse(folder: Path) -> Path:
    with open(folder / "sparse", "wb") as file:
        file.truncate(3 * 10**9)
    return folder / "sparse"


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (fifo, "no regular file"),
        (lambda _: Path("/dev/zero"), "no regular file"),
        (lambda folder: folder, "no regular file|is a directory"),
        (sparse, "3000000000 bytes; give a file of at most 1000"),
        (lambda folder: folder / "absent", "No such file"),
        (lambda folder: folder / ("x" * 300), "File name too long"),
        (lambda folder: folder / "a\0b", "cannot be read"),
    ],
    ids=["pipe", "device", "folder", "3 GB", "absent", "long name", "NUL"],
)
def test_only_regular_files_of_bounded_size_are_read(
    place: Callable[[Path], Path], message: str, tmp_path: Path
) -> None:
    path = place(tmp_path)
    caught: list[InputError] = []

    def read() -> None:
        with pytest.raises(InputError, match=message) as error:
            read_file(path, "image", 1000)
        caught.append(error.value)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    reader.join(10)
    assert caught, "it hangs"


def test_text_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"\xef\xbb\xbfhello")
    assert read_text(tmp_path / "x", "prompt") == "hello"
    (tmp_path / "x").write_bytes(b"\xff\xfeh\0")
    with pytest.raises(InputError, match="not UTF-8"):
        read_text(tmp_path / "x", "prompt")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LAUGHS, "too many values"),
        (MERGES, "too many values"),
        ("a: &a [*a]", "contains itself"),
        ("[" * 5000, "nested too deep|no YAML"),
        ("[" * 100 + "]" * 100, "nested too deep"),
        ("a: " + "9" * 100_000, "no YAML"),
        ("a: [", "no YAML"),
        ("a: !!python/object/apply:os.system [ls]", "no YAML"),
        ("\0", "no YAML"),
        ("x" * (2**18 + 1), "give at most"),
        ("? {a: 1}\n: 2", "no YAML"),
        ("--- a\n--- b", "no YAML"),
        ("a: !!timestamp x", "no YAML"),
        ("a: !!int ''", "no YAML"),
    ],
    ids=[
        *("aliases", "merges", "loop", "deep", "closed deep", "digits", "cut", "code", "NUL", "long", "key", "two"),
        *("time", "integer"),
    ],
)
def test_yaml_that_swells_is_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        parse_yaml(text, "world")
    assert len(str(error.value)) < 2000


def test_plain_yaml_is_read() -> None:
    assert parse_yaml("a: &a [1, 2]\nb: *a\n", "x") == {"a": [1, 2], "b": [1, 2]}
    assert parse_yaml("", "x") is None
    assert parse_yaml("[2e-3, 1E5, -3e2, 1e, '2e-3', 1e4x]", "x") == [0.002, 1e5, -300.0, "1e", "2e-3", "1e4x"]
