"""Intrinsics and poses out of messages. Any object with the message's fields will do, so that this needs no ROS."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.errors import InputError

_UNIT_TOLERANCE = 1e-3
_PINHOLES = ("", "plumb_bob", "rational_polynomial")
"""Distortion models that leave a pinhole when all their coefficients are zero."""
_SHORTEST_FOCAL, _LONGEST_FOCAL = 20.0, 200.0
"""Of a pinhole, in widths of the image: 169 degrees, and a quarter of one."""
_FARTHEST_M = 1e6
SAY_SO = "set the parameter camera.rectified"
"""How one tells the imagination node that images are rectified."""


def intrinsics_of(
    message: Any, height: int, width: int, *, rectified: bool, field: str = "camera_info", say_so: str = SAY_SO
) -> NDArray[np.float64] | None:
    """Intrinsics [3, 3] in pixels of an image of `height` x `width`, or None when the message says uncalibrated.

    rectified: P made the image; otherwise the lens did, which must then be a pinhole: K without distortion. `say_so`:
    how the reader says that images are rectified.
    The part of the sensor and the binning that the message names are accounted for (REP-104). Raises InputError for
    what is no pinhole or no camera of this image.
    """
    projection, matrix = _numbers(message, "p").reshape(3, 4), _numbers(message, "k").reshape(3, 3)
    if not projection.any() and not matrix.any():
        return None
    if rectified and projection.any():
        name, matrix = "p", projection[:, :3]
    else:
        name = "k"
        _require_no_distortion(message, field, say_so)
    if not matrix.any():
        fix = f"only {field}.p is set, which is that of a rectified image: {say_so}"
        raise InputError(f"{field}.k", "zeros", fix)
    if not np.isfinite(matrix).all() or matrix[0, 0] <= 0 or matrix[1, 1] <= 0:
        fix = "give finite intrinsics with positive focal lengths"
        raise InputError(f"{field}.{name}", matrix.ravel().tolist(), fix)
    return _plausible(_of_part(matrix, message, (height, width), field), height, width, f"{field}.{name}")


def _require_no_distortion(message: Any, field: str, say_so: str) -> None:
    coefficients = _numbers(message, "d")
    if coefficients.any():
        fix = f"rectify the image and {say_so}; the model supports no lens distortion"
        raise InputError(f"{field}.d", coefficients.tolist(), fix)
    if message.distortion_model not in _PINHOLES:
        fix = f"without distortion it is no pinhole either: rectify the image and {say_so}"
        raise InputError(f"{field}.distortion_model", f"'{message.distortion_model}'", fix)


def _numbers(message: Any, name: str) -> NDArray[np.float64]:
    """ROS 1 wrote these fields in capitals."""
    return np.array(getattr(message, name) if hasattr(message, name) else getattr(message, name.upper()), np.float64)


def _of_part(matrix: NDArray[np.float64], message: Any, size: tuple[int, int], field: str) -> NDArray[np.float64]:
    """Intrinsics of the whole sensor -> of the part and the binning that the image shows."""
    roi, binning = message.roi, (message.binning_y or 1, message.binning_x or 1)
    whole = message.height, message.width
    part = (roi.height or whole[0], roi.width or whole[1])
    if roi.y_offset + part[0] > whole[0] or roi.x_offset + part[1] > whole[1]:
        what = f"{part[0]} x {part[1]} at {roi.y_offset}, {roi.x_offset}"
        raise InputError(f"{field}.roi", what, f"give a part of the sensor, {whole[0]} x {whole[1]}")
    shown = part[0] // binning[0], part[1] // binning[1]
    if shown != size:
        fix = f"give the camera_info of the image, {size[0]} x {size[1]}"
        raise InputError(f"{field}.height, {field}.width", f"{shown[0]} x {shown[1]}", fix)
    result = matrix.copy()
    for row, offset, factor in ((0, roi.x_offset, binning[1]), (1, roi.y_offset, binning[0])):
        result[row, 2] = (matrix[row, 2] - offset + 0.5) / factor - 0.5
        result[row, :2] /= factor
    return result


def _plausible(matrix: NDArray[np.float64], height: int, width: int, field: str) -> NDArray[np.float64]:
    for focal, centre, size in ((matrix[0, 0], matrix[0, 2], width), (matrix[1, 1], matrix[1, 2], height)):
        if not size / _SHORTEST_FOCAL <= focal <= size * _LONGEST_FOCAL:
            fix = f"give a focal length in pixels; {focal:g} does not fit an image of {size}"
            raise InputError(field, matrix.ravel().tolist(), fix)
        if not -size <= centre <= 2 * size:
            raise InputError(
                field, matrix.ravel().tolist(), f"the image centre {centre:g} is far outside of {size} pixels"
            )
    return matrix


def pose_to_matrix(pose: Any, field: str) -> NDArray[np.float64]:
    """A pose [m] as a rigid transform [4, 4]. Raises InputError unless it is finite and its quaternion a unit one."""
    position = np.array([pose.position.x, pose.position.y, pose.position.z])
    x, y, z, w = quaternion = np.array([pose.orientation.x, pose.orientation.y, pose.orientation.z, pose.orientation.w])
    if not (np.abs(position) <= _FARTHEST_M).all():  # also catches NaN
        raise InputError(f"{field}.position", position.tolist(), f"give finite metres, at most {_FARTHEST_M:g}")
    if not abs(np.linalg.norm(quaternion) - 1) < _UNIT_TOLERANCE:  # also catches NaN
        raise InputError(f"{field}.orientation", quaternion.tolist(), "give a unit quaternion x, y, z, w")
    x, y, z, w = quaternion / np.linalg.norm(quaternion)
    matrix = np.eye(4)
    matrix[:3, 3] = position
    matrix[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return matrix
