"""Camera intrinsics <-> sensor_msgs/CameraInfo (REP-104) and camera poses <-> model space (REP-103)."""

import numpy as np
from geometry_msgs.msg import Point, Pose, Quaternion
from numpy.typing import NDArray
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Header

from lingbot_ros.control.axes import BODY_FROM_OPTICAL
from lingbot_ros.errors import InputError

_UNIT_TOLERANCE = 1e-3
_PINHOLES = ("", "plumb_bob", "rational_polynomial")
"""Distortion models that leave a pinhole when all their coefficients are zero."""
_SHORTEST_FOCAL, _LONGEST_FOCAL = 20.0, 200.0
"""Of a pinhole, in widths of the image: 169 degrees, and a quarter of one."""
_FARTHEST_M = 1e6


def camera_info(intrinsics: NDArray[np.float64] | None, height: int, width: int, header: Header) -> CameraInfo:
    """An ideal pinhole of intrinsics [3, 3] in pixels of this image; None gives `k[0] == 0`: uncalibrated."""
    message = CameraInfo(header=header, height=height, width=width)
    if intrinsics is None:
        return message
    message.distortion_model = "plumb_bob"
    message.d = [0.0] * 5
    message.k = intrinsics.astype(np.float64).ravel()
    message.r = np.eye(3).ravel()
    message.p = np.hstack([intrinsics, np.zeros((3, 1))]).astype(np.float64).ravel()
    return message


def intrinsics_of(
    message: CameraInfo, height: int, width: int, *, rectified: bool, field: str = "camera_info"
) -> NDArray[np.float64] | None:
    """Intrinsics [3, 3] in pixels of an image of `height` x `width`, or None when the message says uncalibrated.

    rectified: P made the image; otherwise the lens did, which must then be a pinhole: K without distortion.
    The part of the sensor and the binning that the message names are accounted for (REP-104). Raises InputError for
    what is no pinhole or no camera of this image.
    """
    projection, matrix = np.array(message.p).reshape(3, 4), np.array(message.k).reshape(3, 3)
    if not projection.any() and not matrix.any():
        return None
    if rectified and projection.any():
        name, matrix = "p", projection[:, :3]
    else:
        name = "k"
        _require_no_distortion(message, field)
    if not matrix.any():
        fix = f"only {field}.p is set, which is that of a rectified image: set the parameter camera.rectified"
        raise InputError(f"{field}.k", "zeros", fix)
    if not np.isfinite(matrix).all() or matrix[0, 0] <= 0 or matrix[1, 1] <= 0:
        fix = "give finite intrinsics with positive focal lengths"
        raise InputError(f"{field}.{name}", matrix.ravel().tolist(), fix)
    return _plausible(_of_part(matrix, message, (height, width), field), height, width, f"{field}.{name}")


def _require_no_distortion(message: CameraInfo, field: str) -> None:
    if any(message.d):
        fix = "rectify the image and set the parameter camera.rectified; the model supports no lens distortion"
        raise InputError(f"{field}.d", list(message.d), fix)
    if message.distortion_model not in _PINHOLES:
        fix = "without distortion it is no pinhole either: rectify the image and set the parameter camera.rectified"
        raise InputError(f"{field}.distortion_model", f"'{message.distortion_model}'", fix)


def _of_part(
    matrix: NDArray[np.float64], message: CameraInfo, size: tuple[int, int], field: str
) -> NDArray[np.float64]:
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


def pose_to_matrix(pose: Pose, field: str) -> NDArray[np.float64]:
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


def pose_to_camera_to_world(pose: Pose, field: str) -> NDArray[np.float64]:
    """Pose of camera_link (x forward, y left, z up) -> camera-to-world [4, 4], optical axes in the same fixed frame."""
    matrix = pose_to_matrix(pose, field)
    matrix[:3, :3] = matrix[:3, :3] @ BODY_FROM_OPTICAL
    return matrix


def camera_to_world_to_pose(camera_to_world: NDArray[np.float64]) -> Pose:
    """The inverse of `pose_to_camera_to_world`."""
    matrix = camera_to_world.copy()
    matrix[:3, :3] = matrix[:3, :3] @ BODY_FROM_OPTICAL.T
    return matrix_to_pose(matrix)


def matrix_to_pose(matrix: NDArray[np.float64]) -> Pose:
    """The inverse of `pose_to_matrix`."""
    x, y, z, w = _quaternion(matrix[:3, :3])
    position = matrix[:3, 3]
    return Pose(
        position=Point(x=float(position[0]), y=float(position[1]), z=float(position[2])),
        orientation=Quaternion(x=x, y=y, z=z, w=w),
    )


def _quaternion(rotation: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """Unit quaternion (x, y, z, w), w >= 0, from the largest of its squared components, so that nothing cancels."""
    r = rotation
    squares = np.array([1 + r[0, 0] - r[1, 1] - r[2, 2], 1 - r[0, 0] + r[1, 1] - r[2, 2],
                        1 - r[0, 0] - r[1, 1] + r[2, 2], 1 + r[0, 0] + r[1, 1] + r[2, 2]])  # fmt: skip
    rows = np.array([
        [squares[0], r[0, 1] + r[1, 0], r[0, 2] + r[2, 0], r[2, 1] - r[1, 2]],
        [r[0, 1] + r[1, 0], squares[1], r[1, 2] + r[2, 1], r[0, 2] - r[2, 0]],
        [r[0, 2] + r[2, 0], r[1, 2] + r[2, 1], squares[2], r[1, 0] - r[0, 1]],
        [r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1], squares[3]],
    ])  # fmt: skip
    quaternion = rows[int(np.argmax(squares))]
    quaternion = quaternion / np.linalg.norm(quaternion)
    x, y, z, w = (quaternion if quaternion[3] >= 0 else -quaternion).tolist()
    return x, y, z, w
