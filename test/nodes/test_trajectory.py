"""What `lingbot imagine` makes of a camera trajectory before anything is started."""

from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest

from lingbot_ros.bridge.cameras import intrinsics_of, pose_to_camera_to_world
from lingbot_ros.checkpoints.cards import find_card
from lingbot_ros.cli.imagine.trajectory import read_trajectory, require_poses_suffice
from lingbot_ros.control.poses import framewise_steps, longest_step, resample_path
from lingbot_ros.errors import InputError, LingbotError
from lingbot_ros.runtime.intrinsics import focal_and_centre

EXAMPLE = Path(__file__).parents[1] / "data" / "example_00"
CARD = find_card("lingbot-world-v2-1.3b")  # chunks of 13, 16, 16, ... frames


def options(**given: object) -> Namespace:
    return Namespace(**{"poses": None, "keys": None, "intrinsics": None, "frames": None, **given})


def test_the_example_fills_whole_chunks_and_keeps_the_released_scale() -> None:
    example = {"poses": EXAMPLE / "poses.npy", "intrinsics": EXAMPLE / "intrinsics.npy"}
    trajectory = read_trajectory(options(**example), CARD)
    poses = np.load(EXAMPLE / "poses.npy").astype(np.float64)
    assert trajectory.poses.shape == (13 + 59 * 16, 4, 4)
    released = longest_step(framewise_steps(resample_path(poses[:957], 240)))
    assert trajectory.unit_step == pytest.approx(released, rel=1e-9)
    assert trajectory.text().startswith(
        "trajectory: 957 of 961 poses used for 60 chunks (13 frames, then 16); unit step "
    )
    received = [pose_to_camera_to_world(message.pose, "pose") for message in trajectory.messages()]
    np.testing.assert_allclose(received, poses[:957], atol=2e-6)


def test_intrinsics_of_the_example_in_pixels_of_a_image() -> None:
    example = {"poses": EXAMPLE / "poses.npy", "intrinsics": EXAMPLE / "intrinsics.npy"}
    message = read_trajectory(options(**example), CARD).camera_info(720, 1280)
    matrix = intrinsics_of(message, 720, 1280)
    assert matrix is not None
    x, y = 1280 / 832, 720 / 480
    expected = np.array([502.9116, 503.10812, 415.77786, 239.77779]) * [x, y, x, y]
    np.testing.assert_allclose(focal_and_centre(matrix), expected, rtol=1e-6)
    assert read_trajectory(options(keys="w-60"), CARD).camera_info(720, 1280).k[0] == 0


@pytest.mark.parametrize(("limit", "used"), [(13, 13), (28, 13), (29, 29), (960, 957), (5000, 957)])
def test_frames_are_rounded_down_to_whole_chunks(limit: int, used: int) -> None:
    assert len(read_trajectory(options(poses=EXAMPLE / "poses.npy", frames=limit), CARD).poses) == used


def test_a_model_of_one_clip_takes_one_chunk() -> None:
    assert len(read_trajectory(options(poses=EXAMPLE / "poses.npy"), find_card("lingbot-world-base-cam")).poses) == 81


def test_keys_move_at_the_released_speed() -> None:
    trajectory = read_trajectory(options(keys="w-60"), CARD)
    assert (trajectory.given, len(trajectory.poses), trajectory.unit_step) == (61, 61, 0.2)
    np.testing.assert_allclose(trajectory.poses[-1][:3, 3], [0, 0, 3.0])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "--poses, --keys: got neither"),
        ({"poses": EXAMPLE / "poses.npy", "keys": "w-20"}, "--poses, --keys: got both"),
        ({"keys": "w-8"}, "--poses: got 9 frames; give at least 13, the first chunk of lingbot-world-v2-1.3b"),
        ({"poses": EXAMPLE / "poses.npy", "frames": 12}, "--frames: got 12 frames; give at least 13"),
        ({"poses": EXAMPLE / "poses.npy", "frames": 0}, "--frames: got 0; give a positive number"),
        ({"keys": "q-8"}, "keys: got 'q-8'"),
    ],
)
def test_what_cannot_be_driven_is_named(given: dict[str, object], message: str) -> None:
    with pytest.raises(InputError) as error:
        read_trajectory(options(**given), CARD)
    assert str(error.value).startswith(message)


def test_a_model_with_keys_is_refused() -> None:
    with pytest.raises(LingbotError, match="use the Python API"):
        require_poses_suffice(find_card("lingbot-world-base-act"))
    require_poses_suffice(CARD)
