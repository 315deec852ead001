"""Images in and out of messages: encodings, row steps, byte order, and what is refused."""

import array

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from lingbot_ros.bridge.images import compressed_to_rgb, image_to_rgb, rgb_to_compressed, rgb_to_image
from lingbot_ros.errors import InputError

RGB = np.array([[[250, 120, 10], [0, 1, 2], [9, 8, 7]], [[30, 60, 90], [255, 255, 255], [0, 0, 0]]], np.uint8)
GREY = np.array([[0, 128, 255], [7, 8, 9]], np.uint8)


def message(pixels: np.ndarray, encoding: str, *, padding: int = 0, big: bool = False) -> Image:
    height, width = pixels.shape[:2]
    rows = pixels.reshape(height, -1).view(np.uint8)
    padded = np.pad(rows, ((0, 0), (0, padding)), constant_values=77)
    return Image(
        height=height,
        width=width,
        encoding=encoding,
        step=padded.shape[1],
        is_bigendian=int(big),
        data=array.array("B", padded.tobytes()),
    )


@pytest.mark.parametrize("padding", [0, 5])
@pytest.mark.parametrize(
    ("encoding", "pixels", "expected"),
    [
        ("rgb8", RGB, RGB),
        ("bgr8", np.ascontiguousarray(RGB[..., ::-1]), RGB),
        ("rgba8", np.dstack([RGB, np.full((2, 3), 3, np.uint8)]), RGB),
        ("bgra8", np.dstack([RGB[..., ::-1], np.full((2, 3), 3, np.uint8)]), RGB),
        ("mono8", GREY, np.repeat(GREY[..., None], 3, axis=2)),
    ],
)
def test_encodings(encoding: str, pixels: np.ndarray, expected: np.ndarray, padding: int) -> None:
    assert np.array_equal(image_to_rgb(message(pixels, encoding, padding=padding)), expected)


@pytest.mark.parametrize("big", [False, True], ids=["little endian", "big endian"])
@pytest.mark.parametrize("encoding", ["16UC1", "mono16"])
def test_sixteen_bits_map_linearly(encoding: str, big: bool) -> None:
    pixels = np.array([[0, 65535, 32768]], ">u2" if big else "<u2")
    assert image_to_rgb(message(pixels, encoding, big=big))[0, :, 0].tolist() == [0, 255, 128]


PLAIN = np.full((6, 8, 3), (200, 90, 30), np.uint8)


def video() -> dict[str, int]:
    """The plain colour as video has it (BT.601, Y from 16 to 235)."""
    r, g, b = map(int, PLAIN[0, 0])
    return {
        "y": round(16 + 0.257 * r + 0.504 * g + 0.098 * b),
        "u": round(128 - 0.148 * r - 0.291 * g + 0.439 * b),
        "v": round(128 + 0.439 * r - 0.368 * g - 0.071 * b),
    }


def packed(order: str) -> np.ndarray:
    """A plain colour as pairs of pixels, of which each has its own Y and both have one U and one V."""
    return np.tile(np.array([video()[letter] for letter in order], np.uint8), (6, 4)).reshape(6, 8, 2)


def planar(order: str) -> np.ndarray:
    pairs = np.tile(np.array([video()[letter] for letter in order], np.uint8), (3, 4))
    return np.concatenate([np.full((6, 8), video()["y"], np.uint8), pairs])


def mosaic(pattern: str) -> np.ndarray:
    """A plain colour through a Bayer filter."""
    tile = np.array([PLAIN[0, 0, "rgb".index(letter)] for letter in pattern], np.uint8).reshape(2, 2)
    return np.tile(tile, (3, 4))


@pytest.mark.parametrize("padding", [0, 6])
@pytest.mark.parametrize(
    ("encoding", "pixels"),
    [
        ("yuv422", packed("uyvy")),
        ("uyvy", packed("uyvy")),
        ("yuv422_yuy2", packed("yuyv")),
        ("yuyv", packed("yuyv")),
        ("nv12", planar("uv")),
        ("nv21", planar("vu")),
        *((f"bayer_{pattern}8", mosaic(pattern)) for pattern in ("rggb", "bggr", "gbrg", "grbg")),
        *((f"bayer_{pattern}16", mosaic(pattern).astype("<u2") * 257) for pattern in ("rggb", "bggr", "gbrg", "grbg")),
        ("rgb16", PLAIN.astype("<u2") * 257),
        ("bgr16", np.ascontiguousarray(PLAIN[..., ::-1]).astype("<u2") * 257),
        ("rgba16", np.dstack([PLAIN, PLAIN[..., :1]]).astype("<u2") * 257),
        ("bgra16", np.dstack([PLAIN[..., ::-1], PLAIN[..., :1]]).astype("<u2") * 257),
        ("8UC3", PLAIN),
    ],
)
def test_what_drivers_send(encoding: str, pixels: np.ndarray, padding: int) -> None:
    image = message(pixels, encoding, padding=padding)
    image.height = 6
    image.width = 8
    exact = not encoding.startswith(("yuv", "yuyv", "uyvy", "nv"))
    np.testing.assert_allclose(image_to_rgb(image).astype(int), PLAIN.astype(int), atol=0 if exact else 4)


@pytest.mark.parametrize("encoding", ["rgb8", "bgr8", "mono8", "rgb16", "bgr16", "8UC3", "bayer_rggb8", "yuv422_yuy2"])
def test_it_agrees_with_cv_bridge(encoding: str) -> None:
    bridge = pytest.importorskip("cv_bridge", reason="cv_bridge is not installed").CvBridge()
    channels = {"mono8": 1, "bayer_rggb8": 1, "yuv422_yuy2": 2}.get(encoding, 3)
    kind = np.uint16 if "16" in encoding else np.uint8
    pixels = np.random.default_rng(0).integers(0, np.iinfo(kind).max, (6, 8, channels), kind)
    image = message(pixels, encoding)
    np.testing.assert_allclose(image_to_rgb(image), bridge.imgmsg_to_cv2(image, "rgb8"), atol=1)


def test_depth_is_called_depth() -> None:
    packed_depth = CompressedImage(format="16UC1; compressedDepth png", data=array.array("B", b"\0" * 40))
    with pytest.raises(InputError, match="that is a depth image of compressedDepth"):
        compressed_to_rgb(packed_depth)


def changed(**fields: object) -> Image:
    picture = message(RGB, "rgb8")
    for name, value in fields.items():
        setattr(picture, name, value)
    return picture


@pytest.mark.parametrize(
    ("image", "field", "value"),
    [
        (changed(encoding="nv24"), "image.encoding", "nv24"),
        (changed(encoding="32FC1"), "image.encoding", "32FC1"),
        (changed(encoding=""), "image.encoding", "''"),
        (changed(step=8), "image.step", "8"),
        (changed(height=3), "image.data", "18 bytes"),
        (changed(width=0), "image.height, image.width", "2, 0"),
    ],
)
def test_refusals_name_the_field(image: Image, field: str, value: str) -> None:
    with pytest.raises(InputError) as error:
        image_to_rgb(image)
    assert error.value.field == field and value in str(error.value)


@settings(deadline=None, max_examples=25)
@given(height=st.integers(1, 9), width=st.integers(1, 9), seed=st.integers(0, 99))
def test_a_published_image_reads_back_the_same(height: int, width: int, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    published = rgb_to_image(pixels[:, ::-1], Header(frame_id="camera"))  # not contiguous on purpose
    assert (published.encoding, published.step, published.header.frame_id) == ("rgb8", 3 * width, "camera")
    assert np.array_equal(image_to_rgb(published), pixels[:, ::-1])


def test_jpeg_keeps_colours_and_channel_order() -> None:
    picture = np.full((32, 32, 3), (200, 100, 20), np.uint8)
    encoded = rgb_to_compressed(picture, Header(), quality=90)
    assert encoded.format == "rgb8; jpeg compressed bgr8"
    assert np.abs(compressed_to_rgb(encoded).astype(int) - picture).max() < 6
    stored = cv2.imdecode(np.frombuffer(encoded.data, np.uint8), cv2.IMREAD_COLOR)
    assert stored[0, 0, 0] < 40 < stored[0, 0, 2]  # OpenCV reads blue first


@pytest.mark.parametrize("data", [b"", b"not an image"])
def test_broken_files_are_refused(data: bytes) -> None:
    with pytest.raises(InputError, match=r"seed_image\.data"):
        compressed_to_rgb(CompressedImage(format="jpeg", data=array.array("B", data)), "seed_image")
