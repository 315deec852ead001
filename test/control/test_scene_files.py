"""The files of a released control scene, sound and broken."""

from pathlib import Path

import numpy as np
import pytest

from lingbot_ros.control.scene_files import read_intrinsics, read_poses, read_prompt
from lingbot_ros.errors import InputError

EXAMPLE = Path(__file__).parents[1] / "data" / "example_00"


def saved(folder: Path, array: object) -> Path:
    np.save(folder / "file.npy", np.asarray(array))
    return folder / "file.npy"


def test_the_released_example_is_read() -> None:
    poses = read_poses(EXAMPLE / "poses.npy", "--poses")
    assert (poses.shape, poses.dtype) == ((961, 4, 4), np.float64)
    camera, how = read_intrinsics(EXAMPLE / "intrinsics.npy", "--intrinsics")
    np.testing.assert_allclose(camera, [502.9116, 503.10812, 415.77786, 239.77779], rtol=1e-7)
    assert how == "pixels at 832x480"


def test_intrinsics_in_three_forms(tmp_path: Path) -> None:
    expected = [500.0, 480.0, 416.0, 240.0]
    for array in (expected, [expected] * 3, np.array(expected) / [832, 480, 832, 480]):
        camera, how = read_intrinsics(saved(tmp_path, array), "--intrinsics")
        np.testing.assert_allclose(camera, expected)
    assert how == "normalised"
    _, how = read_intrinsics(saved(tmp_path, [expected, [600.0, 480.0, 416.0, 240.0]]), "--intrinsics")
    assert how == "pixels at 832x480; they vary, the first of 2 is used for all frames"


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((5, 3)), "--intrinsics: got shape [5, 3]; give [frames, 4]"),
        (np.zeros((0, 4)), "--intrinsics: got shape [0, 4]; give [frames, 4]"),
        ([500.0, np.nan, 416.0, 240.0], "--intrinsics: got [500.0, nan, 416.0, 240.0]; give four numbers"),
        ([-500.0, 500.0, 416.0, 240.0], "--intrinsics: got [-500.0, 500.0, 416.0, 240.0]; give four numbers"),
        (["a", "b", "c", "d"], "give a .npy file that holds one array of numbers"),
    ],
    ids=["columns", "empty", "nan", "negative", "text"],
)
def test_broken_intrinsics_are_named(tmp_path: Path, array: object, message: str) -> None:
    with pytest.raises(InputError) as error:
        read_intrinsics(saved(tmp_path, array), "--intrinsics")
    assert message in str(error.value)


def broken(index: int, row: int, column: int, value: float) -> np.ndarray:
    poses = np.tile(np.eye(4), (9, 1, 1))
    poses[index, row, column] = value
    return poses


@pytest.mark.parametrize(
    ("poses", "message"),
    [
        (np.eye(4), "--poses: got shape [4, 4]; give [n, 4, 4]"),
        (broken(3, 0, 3, np.inf), "--poses[3]: got a number that is not finite"),
        (broken(2, 2, 3, -1e20), "--poses[2]: got position [0.0, 0.0, -1e+20]; give at most 1e+09"),
        (broken(5, 0, 0, 2.0), "--poses[5]: got a 3x3 part that is no rotation"),
        (broken(6, 0, 0, -1.0), "--poses[6]: got a 3x3 part that is no rotation"),
        (broken(8, 3, 0, 1.0), "--poses[8]: got last row [1.0, 0.0, 0.0, 1.0]"),
    ],
    ids=["shape", "infinite", "far away", "scaled", "mirrored", "last row"],
)
def test_broken_poses_are_named(tmp_path: Path, poses: np.ndarray, message: str) -> None:
    with pytest.raises(InputError) as error:
        read_poses(saved(tmp_path, poses), "--poses")
    assert str(error.value).startswith(message)


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="allow_pickle"):
        read_poses(saved(tmp_path, np.array([{"code": "runs"}], dtype=object)), "--poses")


@pytest.mark.parametrize(
    "content",
    [b"", b"no array", b"PK\x03\x04no archive", b"\x93NUMPY\x01\x00\x0a\x00{'descr': (", None],
    ids=["empty", "text", "archive", "header", "missing"],
)
def test_files_that_are_no_arrays_are_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "poses.npy"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"--poses: got '.*poses\.npy'; (give a \.npy file|it cannot be read)"):
        read_poses(path, "--poses")


def test_a_prompt_is_a_text_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "prompt.txt").write_text("it snows\n")
    assert read_prompt(str(tmp_path / "prompt.txt"), "--prompt") == "it snows"
    assert read_prompt("it rains. txt", "--prompt") == "it rains. txt"
    with pytest.raises(InputError, match="--prompt"):
        read_prompt(str(tmp_path / "none.txt"), "--prompt")


def test_a_prompt_file_may_come_from_any_editor(tmp_path: Path) -> None:
    (tmp_path / "prompt.TXT").write_bytes(b"\xef\xbb\xbfa red door\r\n")
    assert read_prompt(str(tmp_path / "prompt.TXT"), "--prompt") == "a red door"
    with pytest.raises(InputError, match="--prompt"):
        read_prompt(str(tmp_path / "absent.txt"), "--prompt")
    assert read_prompt("a text", "--prompt") == "a text"
