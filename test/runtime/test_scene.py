"""Worlds from files and text: what hangs, swells or is not there becomes one of three errors, at once."""

import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from lingbot_ros.errors import InputError
from lingbot_ros.runtime.scene import WorldAssetError, WorldParseError, parse_scene, read_scene
from lingbot_ros.runtime.scene_catalog import SceneCatalog

WORLD = "name: w\nmodel: m\n"


def fifo(path: Path) -> None:
    os.mkfifo(path)


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(3 * 10**9)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def laughs(path: Path) -> None:
    rows = [f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)]
    path.write_text(WORLD + "\n".join(["a: &a [x, x, x, x, x, x, x, x, x]", *rows]))


def deep(path: Path) -> None:
    path.write_text(WORLD + "tags: " + "[" * 3000 + "]" * 3000)


def latin(path: Path) -> None:
    path.write_bytes(b"name: \xe9\nmodel: m\n")


@pytest.mark.parametrize("spoil", [fifo, sparse, device, laughs, deep, latin, Path.mkdir])
def test_a_world_that_hangs_or_swells_is_refused(spoil: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    spoil(path)
    with pytest.raises(WorldParseError) as error:
        read_scene(path)
    assert len(str(error.value)) < 1000


@pytest.mark.parametrize("spoil", [fifo, sparse, device, Path.mkdir, lambda path: path.write_bytes(b"GIF89a")])
def test_an_image_that_hangs_or_swells_is_refused(spoil: Callable[[Path], None], tmp_path: Path) -> None:
    spoil(tmp_path / "x.png")
    with pytest.raises(WorldAssetError, match=r"world\.image"):
        parse_scene(WORLD + "image: x.png", tmp_path)


def test_a_world_with_a_byte_order_mark_and_an_image_is_read(tmp_path: Path) -> None:
    image = np.full((4, 6, 3), (200, 10, 30), np.uint8)
    cv2.imwrite(str(tmp_path / "x.png"), image[..., ::-1])
    (tmp_path / "w.yaml").write_bytes(b"\xef\xbb\xbf" + (WORLD + "image: x.png\n").encode())
    scene = read_scene(tmp_path / "w.yaml")
    assert scene.name == "w" and scene.image is not None
    np.testing.assert_array_equal(scene.image, image)
    with pytest.raises(FileNotFoundError):
        read_scene(tmp_path / "absent.yaml")


@pytest.mark.parametrize("extra", ["prompt: [1]", "seed: 1e30", "control: [1, {}]", "start_pose: 5", "control: .nan"])
def test_wrong_values_name_their_key(extra: str) -> None:
    with pytest.raises(InputError, match=f"world.{extra.partition(':')[0]}"):
        parse_scene(WORLD + extra)


@pytest.mark.parametrize("name", ["x" * 300, "\ud800", "a\0b", "y/" * 3000, "file://[x", "file://[x]/", "package://["])
def test_names_that_no_file_can_have_are_refused(name: str) -> None:
    with pytest.raises(InputError):
        SceneCatalog(None).read(name)
    with pytest.raises(InputError):
        SceneCatalog(None).worlds([name])


def test_what_cannot_be_read_in_a_folder_of_worlds_does_not_hide_the_others(tmp_path: Path) -> None:
    (tmp_path / "dangling.yaml").symlink_to(tmp_path / "absent")
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "w.yaml").write_text(WORLD)
    assert [world.name for world in SceneCatalog(tmp_path).worlds()][-1] == "w"
