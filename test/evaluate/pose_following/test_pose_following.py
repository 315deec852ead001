"""Geometry of camera following: known values, and motions that were not the commanded ones."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from lingbot_ros.evaluate.pose_following import residuals, trajectory

CAMERA = np.array([[500.0, 0, 320], [0, 500, 240], [0, 0, 1]])
TRUTH = np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 0], [2, 1, 0]])
ESTIMATE = np.array([[0.0, 0, 0], [0.5, 0, 0], [1, 0.1, 0], [1, 0.5, 0]])


def turned(axis: str, degrees: float) -> np.ndarray:
    return Rotation.from_euler(axis, degrees, degrees=True).as_matrix()


def motion(yaw_deg: float = 0.0, translation: tuple[float, float, float] = (0, 0, 0)) -> np.ndarray:
    found = np.eye(4)
    found[:3, :3], found[:3, 3] = turned("y", yaw_deg), translation
    return found


def seen(moved: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """200 points of a scene in two images, the second after the motion."""
    points = np.random.default_rng(0).uniform((-3, -2, 5), (3, 2, 12), (200, 3))
    after = points @ moved[:3, :3].T + moved[:3, 3]
    images = [(cloud @ CAMERA.T)[:, :2] / cloud[:, 2:] for cloud in (points, after)]
    return images[0], images[1]


def test_angles() -> None:
    assert trajectory.rotation_error_deg(turned("z", 10), np.eye(3)) == pytest.approx(10.0)
    assert trajectory.rotation_error_deg(turned("x", 180), np.eye(3)) == pytest.approx(180.0)
    assert trajectory.rotation_error_deg(turned("x", 1e-6), np.eye(3)) == pytest.approx(1e-6)
    assert trajectory.direction_error_deg(np.array([2.0, 0, 0]), np.array([0, 3.0, 0])) == pytest.approx(90)
    assert trajectory.direction_error_deg(np.array([2.0, 0, 0]), np.array([-1.0, 0, 0])) == pytest.approx(180)
    assert trajectory.direction_error_deg(np.zeros(3), np.array([-1.0, 0, 0])) is None


def test_scale_and_distance_to_the_truth() -> None:
    found = trajectory.align_scale(ESTIMATE, TRUTH)
    assert found is not None
    assert (found.scale, found.rms_m, found.mean_m) == pytest.approx((1.992032, 0.099801, 0.053064), abs=1e-6)
    free = trajectory.align_similarity(ESTIMATE, TRUTH)
    assert free is not None
    assert (free.scale, free.rms_m) == pytest.approx((2.013562, 0.076360), abs=1e-6)
    assert trajectory.align_scale(np.zeros((4, 3)), TRUTH) is None
    assert trajectory.align_similarity(np.zeros((4, 3)), TRUTH) is None


def test_a_turned_and_scaled_trajectory_is_aligned_and_a_mirrored_one_is_not() -> None:
    path = np.random.default_rng(1).normal(size=(20, 3))
    moved = 0.3 * path @ turned("x", 70).T + 5
    found = trajectory.align_similarity(moved, path)
    assert found is not None
    assert found.rms_m == pytest.approx(0, abs=1e-9)
    assert found.scale == pytest.approx(1 / 0.3)
    mirrored = trajectory.align_similarity(path * (1, 1, -1), path)
    assert mirrored is not None and mirrored.rms_m > 0.3


def test_rotation_transfer() -> None:
    moved = residuals.rotation_transfer(np.array([[320.0, 240.0]]), turned("y", 2), CAMERA)
    assert np.linalg.norm(moved - (320, 240)) == pytest.approx(17.460385, abs=1e-6)


def test_sampson() -> None:
    p, q = np.array([[400.0, 300.0]]), np.array([[380.0, 302.0]])
    found = residuals.sampson_px(p, q, motion(translation=(1, 0, 0)), CAMERA)
    assert found[0] == pytest.approx(1.414214, abs=1e-6)


def test_relative_motion_takes_points_from_one_camera_to_the_next() -> None:
    first, second = np.eye(4), np.eye(4)
    second[:3, 3] = (0, 0, 1)
    moved = residuals.relative_motion(first, second)
    assert moved @ (0, 0, 5, 1) == pytest.approx((0, 0, 4, 1))


@pytest.mark.parametrize("commanded", [motion(8, (0, 0, -0.4)), motion(-5, (0.2, 0, -0.3))])
def test_the_commanded_motion_fits_and_wrong_ones_do_not(commanded: np.ndarray) -> None:
    p, q = seen(commanded)
    assert np.median(residuals.sampson_px(p, q, commanded, CAMERA)) < 1e-6
    assert residuals.front_share(p, q, commanded, CAMERA) == 1.0
    faster, mirrored = commanded.copy(), commanded.copy()
    yaw = np.degrees(np.arctan2(commanded[0, 2], commanded[0, 0]))
    faster[:3, :3], mirrored[:3, :3] = turned("y", 1.1 * yaw), turned("y", -yaw)
    assert np.median(residuals.sampson_px(p, q, faster, CAMERA)) > 0.5
    assert np.median(residuals.sampson_px(p, q, mirrored, CAMERA)) > 5


def test_the_opposite_direction_fits_the_lines_and_is_seen_behind_the_camera() -> None:
    commanded = motion(3, (0.1, 0, -0.4))
    p, q = seen(commanded)
    backwards = commanded.copy()
    backwards[:3, 3] *= -1
    assert np.median(residuals.sampson_px(p, q, backwards, CAMERA)) < 1e-6
    assert residuals.front_share(p, q, backwards, CAMERA) < 0.08


def test_a_turn_in_place_with_the_wrong_rate_is_off_by_its_share() -> None:
    p, q = seen(motion(6))
    assert np.median(residuals.rotation_residual_px(p, q, turned("y", 6), CAMERA)) < 1e-6
    assert np.median(residuals.rotation_residual_px(p, q, turned("y", 6.6), CAMERA)) > 4


def test_uneven_steps_vary() -> None:
    even = residuals.parallax_variation(np.full(6, 3.0), np.array([1.0, 1, 1, 1, 1, 0]))
    uneven = residuals.parallax_variation(np.array([1.0, 7, 1, 7, 1, 7]), np.ones(6))
    assert even == 0.0
    assert uneven is not None and uneven > 0.5
    assert residuals.parallax_variation(np.ones(3), np.zeros(3)) is None
