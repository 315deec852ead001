"""Pose following on clips that were rendered exactly: textured boards at several depths."""

import numpy as np
import pytest

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.pose_following.following import pose_following
from lingbot_ros.evaluate.pose_following.odometry import seen_motion, seen_rotation
from lingbot_ros.evaluate.pose_following.residuals import relative_motion
from lingbot_ros.evaluate.pose_following.tracks import track
from lingbot_ros.evaluate.pose_following.trajectory import direction_error_deg, rotation_error_deg
from test.support.boards import CAMERA, HEIGHT, WIDTH, path, render

MOTIONS = {"advance": (0.0, 0.05, 0.0), "strafe": (0.0, 0.0, 0.04), "turn": (0.7, 0.0, 0.0), "curve": (0.5, 0.04, 0.0)}


@pytest.mark.parametrize("name", MOTIONS)
def test_a_camera_that_goes_where_it_was_sent_follows_within_half_a_pixel(name: str) -> None:
    poses = path(*MOTIONS[name])
    found = pose_following([render(pose) for pose in poses], poses, CAMERA)
    assert found.residual_px is not None and found.residual_px < 0.5
    assert found.follows and found.pairs == 6 and found.abstained == 0 and not found.motion_not_executed


@pytest.mark.parametrize("name", ["turn", "curve"])
@pytest.mark.parametrize("factor", [1.1, 0.9, -1.0])
def test_a_wrong_rate_of_turning_and_a_turn_the_other_way_are_caught(name: str, factor: float) -> None:
    yaw, forward, right = MOTIONS[name]
    frames = [render(pose) for pose in path(3 * yaw * factor, forward, right, frames=9)]
    found = pose_following(frames, path(3 * yaw, forward, right, frames=9), CAMERA)
    assert found.follows is False


@pytest.mark.parametrize("name", ["advance", "strafe"])
def test_the_opposite_direction_is_caught(name: str) -> None:
    poses = path(*MOTIONS[name])
    yaw, forward, right = MOTIONS[name]
    found = pose_following([render(pose) for pose in path(yaw, -forward, -right)], poses, CAMERA)
    assert found.front_share is not None and found.front_share < 0.25 and found.follows is False


def test_a_camera_that_stands_is_said_not_to_have_moved() -> None:
    poses = path(*MOTIONS["advance"])
    found = pose_following([render(np.eye(4))] * len(poses), poses, CAMERA)
    assert found.motion_not_executed and found.follows is False and found.pairs == 0


def test_steps_that_alternate_are_uneven() -> None:
    sent = path(0.0, 0.0, 0.04, frames=49)
    made = sent.copy()
    # Every other stretch of four frames is three times as long as the one before it.
    steps = np.where(np.arange(48) // 4 % 2 == 0, 0.02, 0.06)
    made[1:, 0, 3] = np.cumsum(steps)
    found = pose_following([render(pose) for pose in made], sent, CAMERA)
    assert found.parallax_variation is not None and found.parallax_variation > 0.4 and found.residual_px is not None


def test_an_image_without_corners_cannot_tell() -> None:
    found = pose_following([np.zeros((HEIGHT, WIDTH, 3), np.uint8)] * 9, path(1.0, 0.0, frames=9), CAMERA)
    assert (found.residual_px, found.pairs, found.abstained, found.follows) == (None, 0, 2, None)
    with pytest.raises(InputError, match="one for every frame"):
        pose_following([render(np.eye(4))], path(0, 0), CAMERA)


@pytest.mark.parametrize("name", ["strafe", "curve"])
def test_odometry_sees_rotation_and_direction(name: str) -> None:
    poses = path(*MOTIONS[name])
    motion = relative_motion(poses[0], poses[8])
    found = seen_motion(track(render(poses[0]), render(poses[8])), CAMERA)
    assert found is not None and found.inliers > 0.5
    assert rotation_error_deg(found.rotation, motion[:3, :3]) < 0.5
    error = direction_error_deg(found.direction, motion[:3, 3])
    assert error is not None and error < 10


def test_odometry_sees_a_turn_in_place() -> None:
    poses = path(*MOTIONS["turn"])
    tracks = track(render(poses[0]), render(poses[4]))
    assert rotation_error_deg(seen_rotation(tracks, CAMERA), relative_motion(poses[0], poses[4])[:3, :3]) < 0.1
