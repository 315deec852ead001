"""Rigid motion in closed form: twists to transforms and back, float64."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

Matrix = NDArray[np.float64]

# Below this angle the closed forms lose digits, and a series of four terms has them all.
_SMALL_ANGLE = 1e-2


def exponential(twist: ArrayLike) -> Matrix:
    """The transform [4, 4] that a constant body twist (vx, vy, vz, wx, wy, wz) reaches in one unit of time.

    Exact: a body that moves and turns at once goes along a screw, not along a chord and then round a corner.
    """
    velocity, turn = np.split(np.asarray(twist, np.float64), 2)
    skew = _skew(turn)
    a, b, _ = _coefficients(float(np.linalg.norm(turn)))
    result = np.eye(4)
    result[:3, :3] += a * skew + b * skew @ skew
    result[:3, 3] = _left_jacobian(turn) @ velocity
    return result


def logarithm(transform: Matrix) -> NDArray[np.float64]:
    """The twist [6] of the smallest turn with `exponential(twist) == transform`; turns are below pi."""
    turn = _rotation_vector(transform[:3, :3])
    velocity = np.linalg.solve(_left_jacobian(turn), transform[:3, 3])
    return np.concatenate((velocity, turn))


def inverse(transform: Matrix) -> Matrix:
    """Of a rigid transform [4, 4]: transposed, not solved for."""
    result = np.eye(4)
    result[:3, :3] = transform[:3, :3].T
    result[:3, 3] = -transform[:3, :3].T @ transform[:3, 3]
    return result


def _left_jacobian(turn: NDArray[np.float64]) -> Matrix:
    _, b, c = _coefficients(float(np.linalg.norm(turn)))
    skew = _skew(turn)
    return np.asarray(np.eye(3) + b * skew + c * skew @ skew)


def _coefficients(angle: float) -> tuple[float, float, float]:
    """sin(x)/x, (1 - cos x)/x^2 and (x - sin x)/x^3."""
    square = angle * angle
    if angle < _SMALL_ANGLE:
        return (
            1 - square / 6 * (1 - square / 20 * (1 - square / 42)),
            0.5 - square / 24 * (1 - square / 30 * (1 - square / 56)),
            1 / 6 - square / 120 * (1 - square / 42 * (1 - square / 72)),
        )
    return math.sin(angle) / angle, 2 * (math.sin(angle / 2) / angle) ** 2, (angle - math.sin(angle)) / angle**3


def _skew(vector: NDArray[np.float64]) -> Matrix:
    x, y, z = vector.tolist()
    return np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])


def _rotation_vector(rotation: Matrix) -> NDArray[np.float64]:
    sine_axis = 0.5 * np.array(
        [rotation[2, 1] - rotation[1, 2], rotation[0, 2] - rotation[2, 0], rotation[1, 0] - rotation[0, 1]]
    )
    sine, cosine = float(np.linalg.norm(sine_axis)), (float(np.trace(rotation)) - 1) / 2
    angle = math.atan2(sine, cosine)
    if cosine > 0 and sine < 1e-8:
        return sine_axis
    if cosine > -0.9:
        return np.asarray(sine_axis * (angle / sine))
    # Near half a turn the sine vanishes; the symmetric part still holds the axis, up to its sign.
    outer = (rotation + rotation.T) / 2 - cosine * np.eye(3)
    axis = outer[:, int(np.argmax(np.diag(outer)))]
    axis = axis / np.linalg.norm(axis)
    return np.asarray(axis * (angle if axis @ sine_axis >= 0 else -angle))
