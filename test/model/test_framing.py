"""Frames keep the aspect of their first image, or say that they do not."""

import numpy as np
import pytest

from lingbot_ros.checkpoints.cards import find_card
from lingbot_ros.errors import InputError
from lingbot_ros.model.framing import crop_box, fit_image, stretch_note
from lingbot_ros.model.geometry import frame_size
from lingbot_ros.runtime.intrinsics import part_used
from lingbot_ros.world import LoadOptions
from lingbot_ros.world.adapted_card import adapted_card

CARD = find_card("lingbot-world-fast")


@pytest.mark.parametrize(
    ("image", "area", "frame"),
    [
        ((720, 1280), 480 * 832, (464, 832)),
        ((1280, 720), 480 * 832, (832, 464)),
        ((960, 1280), 480 * 832, (544, 720)),
        ((720, 1280), 720 * 1280, (720, 1280)),
        ((720, 1280), 704 * 1280, (704, 1264)),
        ((1000, 1000), 480 * 832, (624, 624)),
    ],
)
def test_an_area_becomes_a_size_of_the_aspect_of_the_image(
    image: tuple[int, int], area: int, frame: tuple[int, int]
) -> None:
    assert frame_size(*image, area) == frame
    assert not stretch_note(image, frame, "aspect") or abs(image[0] / image[1] - frame[0] / frame[1]) > 0.01


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("832x480", (480, 832)),
        ("720p", (704, 1280)),
        ("480p", (464, 832)),
        ("480*832", (464, 832)),
        ("720*1280", (704, 1280)),
        ("399360", (464, 832)),
        (" 480P ", (464, 832)),
    ],
)
def test_every_way_to_write_a_size(text: str, size: tuple[int, int]) -> None:
    adapted = adapted_card(CARD, LoadOptions.from_plain({"name": CARD.name, "size": text}))
    assert (adapted.height, adapted.width) == size


@pytest.mark.parametrize("text", ["big", "1x", "0x5", "0", "-5", "8x8x8", "99999999999", "9" * 5000, "100000x100000"])
def test_what_is_no_size_is_named(text: str) -> None:
    with pytest.raises(InputError, match="size: got"):
        LoadOptions.from_plain({"name": CARD.name, "size": text})


def test_released_cards_have_the_official_area() -> None:
    assert CARD.area == 480 * 832 and find_card("lingbot-world-v2-14b").area == 480 * 832


def circle(height: int, width: int) -> np.ndarray:
    """A white circle in the middle of a black image."""
    y, x = np.mgrid[:height, :width]
    inside = (y - height / 2) ** 2 + (x - width / 2) ** 2 < (min(height, width) / 4) ** 2
    return np.repeat(np.where(inside, 255, 0).astype(np.uint8)[..., None], 3, axis=2)


def extent(image: np.ndarray) -> tuple[int, int]:
    rows, columns = (np.flatnonzero(image[..., 0].max(axis=axis) > 127) for axis in (1, 0))
    return len(rows), len(columns)


def test_a_circle_stays_round_when_the_image_is_cropped() -> None:
    portrait = circle(1280, 720)
    high, wide = extent(fit_image(portrait, (464, 832), "stretch"))
    assert wide / high > 3
    assert "times too wide" in stretch_note((1280, 720), (464, 832), "stretch")
    assert stretch_note((1280, 720), (464, 832), "aspect").endswith("or model.size to 464x816, which has its aspect")
    assert stretch_note((1280, 720), (464, 832), "aspect", one_size=True).endswith("; set model.fit to crop")
    assert "times too high" in stretch_note((720, 1280), (832, 464), "aspect")
    high, wide = extent(fit_image(portrait, (464, 832), "crop"))
    assert wide / high == pytest.approx(1, abs=0.02) and not stretch_note((1280, 720), (464, 832), "crop")


@pytest.mark.parametrize("size", [(1280, 720), (720, 1280), (480, 832), (100, 7), (3, 999), (464, 832)])
def test_cropping_what_was_cropped_changes_nothing(size: tuple[int, int]) -> None:
    top, left, height, width = crop_box(size, (464, 832))
    assert 0 <= top <= size[0] - height and 0 <= left <= size[1] - width
    assert crop_box((height, width), (464, 832)) == (0, 0, height, width)


def test_intrinsics_move_with_the_part() -> None:
    image, matrix = circle(100, 300), np.array([[200.0, 0, 150], [0, 200, 50], [0, 0, 1]])
    part, moved = part_used(image, matrix, (64, 64), "crop")
    assert part.shape[:2] == (100, 100) and moved is not None
    np.testing.assert_array_equal(moved, [[200, 0, 50], [0, 200, 50], [0, 0, 1]])
