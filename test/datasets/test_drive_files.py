"""The files of a drive, one of which is damaged or lies in another's place."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lingbot_ros.datasets.drives.files import DriveFiles
from lingbot_ros.datasets.parts import part_folder
from lingbot_ros.errors import InputError


def drives(root: Path) -> DriveFiles:
    """One drive of five frames."""
    folder = part_folder(root, "drive", 0)
    folder.mkdir(parents=True)
    np.save(folder / "frames.npy", np.zeros((5, 4, 6, 3), np.uint8))
    np.save(folder / "depth.npy", np.ones((5, 4, 6), np.float16))
    np.save(folder / "poses.npy", np.tile(np.eye(4), (5, 1, 1)))
    np.save(folder / "intrinsics.npy", np.array([5.0, 5.0, 3.0, 2.0]))
    return DriveFiles(root, "drive", 1, 10.0)


def test_a_whole_drive_is_read(tmp_path: Path) -> None:
    data = drives(tmp_path)
    assert data.frames(0).shape == (5, 4, 6, 3) and data.depth(0).shape == (5, 4, 6)
    assert data.poses(0).shape == (5, 4, 4) and data.intrinsics(0).shape == (4,)


@pytest.mark.parametrize(
    ("name", "damage", "match"),
    [
        ("frames", lambda path: path.write_bytes(b""), "damaged"),
        ("frames", lambda path: np.save(path, np.ones((5, 4, 6), np.float16)), r"float16 \[5, 4, 6\], not uint8"),
        ("poses", lambda path: np.save(path, np.tile(np.eye(4), (4, 1, 1))), r"not float64 \[5, 4, 4\]"),
        ("poses", lambda path: np.save(path, np.full((5, 4, 4), np.nan)), "NaN or infinity"),
        ("intrinsics", lambda path: np.save(path, np.zeros(3)), r"not float64 \[4\]"),
        ("depth", lambda path: np.save(path, np.ones((5, 6, 4), np.float16)), r"not float16 \[5, 4, 6\]"),
    ],
    ids=["empty", "swapped", "of another drive", "NaN", "too few", "turned"],
)
def test_a_damaged_file_is_named(tmp_path: Path, name: str, damage: Callable[[Path], object], match: str) -> None:
    data = drives(tmp_path)
    damage(part_folder(tmp_path, "drive", 0) / f"{name}.npy")
    with pytest.raises(InputError, match=f"data set: got .*{name}.npy; .*{match}"):
        getattr(data, name)(0)
