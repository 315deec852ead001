"""What `lingbot imagine` makes of a camera trajectory before anything is started."""

from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest

from lingbot_ros.bridge.cameras import pose_to_camera_to_world
from lingbot_ros.checkpoints.cards import find_card
from lingbot_ros.cli.imagine.trajectory import read_trajectory
from lingbot_ros.control.poses import framewise_steps, longest_step, resample_path
from lingbot_ros.errors import InputError
from lingbot_ros.recording.cameras import intrinsics_of
from lingbot_ros.runtime.intrinsics import focal_and_centre
from lingbot_ros.world import LoadOptions
from lingbot_ros.world.adapted_card import adapted_card

EXAMPLE = Path(__file__).parents[1] / "data" / "example_00"
CARD = find_card("lingbot-world-v2-1.3b")  # chunks of 13, 16, 16, ... frames


def options(**given: object) -> Namespace:
    names = ("poses", "action_string", "keys", "intrinsics", "frames", "text_only")
    return Namespace(**{**dict.fromkeys(names), **given})


def test_the_example_fills_whole_chunks_and_keeps_the_released_scale() -> None:
    example = {"poses": EXAMPLE / "poses.npy", "intrinsics": EXAMPLE / "intrinsics.npy"}
    trajectory = read_trajectory(options(**example), CARD)
    poses = np.load(EXAMPLE / "poses.npy").astype(np.float64)
    assert trajectory.poses.shape == (13 + 59 * 16, 4, 4)
    # 961 poses are 241 latent frames, of which 240 fill whole chunks: the path is spread over them, not cut.
    path = resample_path(poses, 240)
    released = longest_step(framewise_steps(path))
    assert trajectory.unit_step == pytest.approx(released, rel=1e-9)
    assert trajectory.text().startswith(
        "trajectory: 961 poses for 957 frames in 60 chunks (13 frames, then 16); unit step "
    )
    received = [pose_to_camera_to_world(message.pose, "pose") for message in trajectory.messages()]
    np.testing.assert_allclose(received[::4], path, atol=2e-6)
    np.testing.assert_allclose(received[-1], poses[-1], atol=2e-6)


def test_intrinsics_of_the_example_in_pixels_of_a_image() -> None:
    example = {"poses": EXAMPLE / "poses.npy", "intrinsics": EXAMPLE / "intrinsics.npy"}
    message = read_trajectory(options(**example), CARD).camera_info(720, 1280)
    matrix = intrinsics_of(message, 720, 1280, rectified=False)
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


def test_a_clip_may_be_longer_than_the_card_says() -> None:
    card = find_card("lingbot-world-base-cam")
    longer = adapted_card(card, LoadOptions(card.name, clip_frames=161))
    assert (longer.stream.chunk, longer.stream.window, longer.max_horizon) == (41, 41, 161)
    trajectory = read_trajectory(options(poses=EXAMPLE / "poses.npy", frames=161), longer)
    np.testing.assert_allclose(trajectory.poses, np.load(EXAMPLE / "poses.npy")[:161], atol=1e-6)
    with pytest.raises(InputError, match="at least 161, the first chunk"):
        read_trajectory(options(action_string="w-80"), longer)
    for wrong in (160, 1):
        with pytest.raises(InputError, match="clip_frames: got"):
            adapted_card(card, LoadOptions(card.name, clip_frames=wrong))
    with pytest.raises(InputError, match="goes on chunk by chunk"):
        adapted_card(CARD, LoadOptions(CARD.name, clip_frames=161))


def test_81_poses_are_spread_over_20_latents() -> None:
    """As the official default is for chunks of four."""
    poses = np.load(EXAMPLE / "poses.npy")[:81].astype(np.float64)
    trajectory = read_trajectory(options(poses=EXAMPLE / "poses.npy", frames=81), CARD)
    assert len(trajectory.poses) == 77
    np.testing.assert_allclose(trajectory.poses[::4], resample_path(poses, 20), atol=1e-9)


def test_an_action_string_is_spread_and_divided_as_the_official_code_does() -> None:
    trajectory = read_trajectory(options(action_string="w-8,wl-16,i-8,none-12"), CARD)
    steps = framewise_steps(trajectory.poses[::4])
    assert (trajectory.given, len(steps)) == (46, 12)
    assert trajectory.unit_step == pytest.approx(0.204545, abs=1e-6)
    np.testing.assert_allclose(steps[3, :3, 3] / trajectory.unit_step, (0.0889, 0, 0.9951), atol=5e-5)


def test_keys_move_at_the_released_speed() -> None:
    trajectory = read_trajectory(options(keys="w-60"), CARD)
    assert (trajectory.given, len(trajectory.poses), trajectory.unit_step) == (61, 61, 0.2)
    np.testing.assert_allclose(trajectory.poses[-1][:3, 3], [0, 0, 3.0])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "--poses, --action-string, --keys: got none of them"),
        ({"poses": EXAMPLE / "poses.npy", "keys": "w-20"}, "--poses, --action-string, --keys: got --poses and --keys"),
        ({"keys": "w-8"}, "--keys: got 9 frames; give at least 13, the first chunk of lingbot-world-v2-1.3b"),
        ({"poses": EXAMPLE / "poses.npy", "frames": 12}, "--frames: got 12 frames; give at least 13"),
        ({"poses": EXAMPLE / "poses.npy", "frames": 0}, "--frames: got 0; give a positive number"),
        ({"keys": "q-8"}, "keys: got 'q-8'"),
        ({"text_only": True}, "--frames: got nothing; with --text-only give the number of frames"),
        ({"text_only": True, "frames": 12}, "--frames: got 12 frames; give at least 13"),
        ({"text_only": True, "keys": "w-8"}, "--keys: got w-8; leave it out"),
    ],
)
def test_what_cannot_be_driven_is_named(given: dict[str, object], message: str) -> None:
    with pytest.raises(InputError) as error:
        read_trajectory(options(**given), CARD)
    assert str(error.value).startswith(message)


def test_a_model_with_keys_sees_those_of_the_script() -> None:
    card = find_card("lingbot-world-base-act")
    trajectory = read_trajectory(options(keys="w-40,wd-40"), card)
    assert trajectory.keys is not None and (len(trajectory.poses), trajectory.keys.shape) == (81, (81, 4))
    assert [list(action.values) for action in trajectory.key_messages()[40:42]] == [[1, 0, 0, 0], [1, 0, 0, 1]]
    assert read_trajectory(options(keys="w-40,wd-40"), CARD).key_messages() == []
    with pytest.raises(InputError, match="--action-string: got w-80; give --keys"):
        read_trajectory(options(action_string="w-80"), card)


def test_without_a_camera_a_clip_has_its_own_length() -> None:
    card = adapted_card(find_card("lingbot-world-base-cam"), LoadOptions("", text_only=True))
    trajectory = read_trajectory(options(text_only=True), card)
    assert len(trajectory.poses) == 81 and np.array_equal(trajectory.poses[80], np.eye(4))
