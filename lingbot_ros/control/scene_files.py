"""The files of a released control scene: poses.npy, intrinsics.npy, prompt.txt (model_spec 3.3, 6.1)."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.control.poses import Poses, check_poses
from lingbot_ros.control.rays import REFERENCE_SIZE, check_intrinsics
from lingbot_ros.errors import InputError
from lingbot_ros.input_files.arrays import load_array
from lingbot_ros.input_files.regular import read_file, read_text

# No focal length or image centre is this short in pixels, nor this long in widths of an image.
_LARGEST_NORMALISED = 4.0
_ARRAY_BYTES = 2**27


def read_poses(path: Path, field: str) -> Poses:
    """Camera-to-world [F, 4, 4] in OpenCV axes, one per frame. Raises InputError naming the first that is none."""
    return check_poses(_read_array(path, field), field)


def read_intrinsics(path: Path, field: str) -> tuple[NDArray[np.float64], str]:
    """fx, fy, cx, cy in pixels of a frame of 832 x 480, and how the file was read.

    The file holds [4], or [F, 4] of which the first row counts, as in the released pipeline; all four either in those
    pixels, or normalised by width and height. Raises InputError.
    """
    rows = np.atleast_2d(_read_array(path, field))
    if rows.ndim != 2 or rows.shape[1:] != (4,) or not len(rows):
        raise InputError(field, f"shape {list(rows.shape)}", "give [frames, 4]: fx, fy, cx, cy")
    try:
        first = check_intrinsics(rows[0])
    except InputError as error:
        raise InputError(field, error.value, error.fix) from error
    height, width = REFERENCE_SIZE
    is_normalised = bool((np.abs(first) <= _LARGEST_NORMALISED).all())
    if is_normalised:
        first = first * np.array([width, height, width, height])
    how = "normalised" if is_normalised else f"pixels at {width}x{height}"
    if len(rows) > 1 and not np.allclose(rows, rows[0], rtol=1e-3, equal_nan=True):
        how += f"; they vary, the first of {len(rows)} is used for all frames"
    return first, how


def read_prompt(text: str, field: str) -> str:
    """The text itself, or what a file ending in .txt holds. Raises InputError when there is no such file."""
    return read_text(Path(text), field).strip() if text.lower().endswith(".txt") else text


def _read_array(path: Path, field: str) -> NDArray[Any]:
    try:
        array = load_array(io.BytesIO(read_file(path, field, _ARRAY_BYTES)))
    except (OSError, ValueError) as error:
        raise InputError(field, f"'{path}'", f"give a .npy file of numbers ({error})") from error
    if array.dtype.kind not in "fiu":
        raise InputError(field, f"'{path}'", "give a .npy file that holds one array of numbers")
    return array.astype(np.float64)
