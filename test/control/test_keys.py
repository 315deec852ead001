"""Keys to poses (model_spec 6.3), with golden values (model_spec 7.1 step 4, 7.2)."""

import numpy as np
import pytest

from lingbot_ros.control.keys import KeyCamera, KeyEdge, parse_key_script, script_poses
from lingbot_ros.control.poses import framewise_steps, longest_step
from lingbot_ros.errors import InputError


def test_golden_script() -> None:
    poses = script_poses(parse_key_script("w-8,wl-16,i-8,none-12"))
    assert len(poses) == 45
    expected = [[0.84805, 0.14607, 0.50939], [0, 0.96126, -0.27564], [-0.52992, 0.23375, 0.81520]]
    assert np.allclose(poses[-1, :3, :3], expected, atol=1e-5)
    assert np.allclose(poses[-1, :3, 3], (0.23088, 0, 1.15518), atol=1e-5)
    steps = framewise_steps(poses[::4])
    assert len(steps) == 12 and longest_step(steps) == pytest.approx(0.2)
    assert np.allclose(steps[5, 0, :3], (0.990268, 0, 0.139173), atol=1e-6)


def test_four_frames_forward() -> None:
    poses = script_poses(parse_key_script("w-4"))
    assert np.allclose(poses[:, :3, 3], [[0, 0, 0.05 * frame] for frame in range(5)])


@pytest.mark.parametrize(
    ("key", "forward"),
    [("l", (1, 0)), ("j", (-1, 0)), ("i", (0, -1)), ("k", (0, 1))],
    ids=["right", "left", "up", "down"],
)
def test_looking_turns_the_viewing_direction(key: str, forward: tuple[int, int]) -> None:
    x, y, z = script_poses(parse_key_script(f"{key}-8"))[-1, :3, 2]
    angle = np.radians(16)
    assert (x, y, z) == pytest.approx((forward[0] * np.sin(angle), forward[1] * np.sin(angle), np.cos(angle)))


def test_pitch_ends_at_85_degrees_and_motion_stays_level() -> None:
    poses = script_poses(parse_key_script("i-60,w-4"))
    assert np.degrees(np.arcsin(-poses[-1, 1, 2])) == pytest.approx(85)
    assert np.allclose(poses[-1, :3, 3], (0, 0, 0.2))


@pytest.mark.parametrize("down_s", [0.0, 0.02, 0.1])
def test_a_tap_of_30_ms_moves_30_ms_worth(down_s: float) -> None:
    camera = KeyCamera(fps=16)
    camera.press(KeyEdge(down_s, "d", is_down=True))
    camera.press(KeyEdge(down_s + 0.03, "d", is_down=False))
    assert np.allclose(camera.advance(8)[-1, :3, 3], (0.8 * 0.03, 0, 0))


def test_held_keys_last_and_opposite_keys_cancel() -> None:
    camera = KeyCamera(fps=16)
    camera.press(KeyEdge(0.0, "w", is_down=True))
    assert np.allclose(camera.advance(4)[-1, :3, 3], (0, 0, 0.2))
    camera.press(KeyEdge(camera.time_s, "s", is_down=True))
    assert np.allclose(camera.advance(4)[-1, :3, 3], (0, 0, 0.2))


def test_an_edge_of_the_past_counts_from_the_last_pose() -> None:
    camera = KeyCamera(fps=16)
    camera.advance(16)
    camera.press(KeyEdge(0.5, "w", is_down=True))
    assert np.allclose(camera.advance(1)[-1, :3, 3], (0, 0, 0.05))


@pytest.mark.parametrize("script", ["w", "w-0", "x-3", "-3", "w-8,,a-2", "w-1.5", "w-²"])
def test_scripts_that_cannot_be_read_are_named(script: str) -> None:
    with pytest.raises(InputError, match="keys-count"):
        parse_key_script(script)


def test_unknown_keys_are_refused() -> None:
    with pytest.raises(InputError, match="use one of"):
        KeyCamera(fps=16).press(KeyEdge(0.0, "x", is_down=True))


@pytest.mark.parametrize("script", ["w-99999999", "w-20000,a-1", f"w-{'9' * 5000}"], ids=["one", "together", "digits"])
def test_scripts_have_an_end(script: str) -> None:
    with pytest.raises(InputError, match="give at most 20000 frames in all"):
        parse_key_script(script)
