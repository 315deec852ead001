"""Rigid motion against the matrix exponential, closed forms worked out by hand, and its own inverse."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from lingbot_ros.control.rigid import exponential, inverse, logarithm


def matrix_exponential(matrix: np.ndarray) -> np.ndarray:
    """The series itself, with more digits than are compared."""
    term = total = np.eye(4, dtype=np.longdouble)
    for power in range(1, 60):
        term = term @ matrix.astype(np.longdouble) / power
        total = total + term
    return total.astype(np.float64)


numbers = st.floats(-3.0, 3.0, allow_nan=False)
twists = st.tuples(numbers, numbers, numbers, numbers, numbers, numbers)
scales = st.sampled_from([1.0, 1e-2, 1e-4, 1e-9])


def generator(twist: np.ndarray) -> np.ndarray:
    """The 4x4 matrix whose exponential is wanted."""
    (vx, vy, vz), (wx, wy, wz) = twist[:3], twist[3:]
    return np.array([[0, -wz, wy, vx], [wz, 0, -wx, vy], [-wy, wx, 0, vz], [0, 0, 0, 0]])


@given(twists, scales)
def test_the_exponential_is_that_of_the_matrix(twist: tuple[float, ...], scale: float) -> None:
    scaled = scale * np.array(twist)
    assert_allclose(exponential(scaled), matrix_exponential(generator(scaled)), rtol=0, atol=1e-14)


@given(twists, scales)
def test_many_small_steps_are_one_large_one_and_stay_rigid(twist: tuple[float, ...], scale: float) -> None:
    step, pose = exponential(scale * np.array(twist) / 64), np.eye(4)
    for _ in range(64):
        pose = pose @ step
    assert_allclose(pose, exponential(scale * np.array(twist)), rtol=0, atol=1e-12)
    assert_allclose(pose[:3, :3] @ pose[:3, :3].T, np.eye(3), atol=1e-13)


@given(twists, scales)
def test_the_logarithm_undoes_turns_below_half_a_circle(twist: tuple[float, ...], scale: float) -> None:
    scaled = scale * np.array(twist)
    angle = float(np.linalg.norm(scaled[3:]))
    if angle < 3.1:
        assert_allclose(logarithm(exponential(scaled)), scaled, rtol=0, atol=2e-9)


@pytest.mark.parametrize("axis", [(1.0, 0, 0), (0, -1.0, 0), (0.6, 0, 0.8), (-0.6, 0.8, 0)])
@pytest.mark.parametrize("short", [1e-3, 1e-7, 1e-10])
def test_the_logarithm_keeps_the_axis_of_almost_half_a_turn(axis: tuple[float, ...], short: float) -> None:
    twist = np.array([0.1, 0.2, 0.3, *(np.array(axis) * (math.pi - short))])
    assert_allclose(exponential(logarithm(exponential(twist))), exponential(twist), atol=1e-7)


def test_a_unicycle_goes_along_an_arc() -> None:
    """v = 1 m/s, w = pi/2 rad/s for 1 s: a quarter of a circle of radius 2/pi to the left."""
    pose = exponential((1.0, 0, 0, 0, 0, math.pi / 2))
    assert_allclose(pose[:3, 3], [2 / math.pi, 2 / math.pi, 0], atol=1e-15)
    assert_allclose(pose[:3, :3], [[0, -1, 0], [1, 0, 0], [0, 0, 1]], atol=1e-15)


@given(twists)
def test_the_inverse_goes_back(twist: tuple[float, ...]) -> None:
    pose = exponential(twist)
    assert_allclose(inverse(pose) @ pose, np.eye(4), atol=1e-13)
