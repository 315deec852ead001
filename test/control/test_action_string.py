"""Action strings with the official meaning; expected values from the written rules (model_spec 6.2)."""

import numpy as np
import pytest

from lingbot_ros.control.action_string import action_string_poses, parse_action_string
from lingbot_ros.errors import InputError


def poses(text: str) -> np.ndarray:
    return action_string_poses(parse_action_string(text))


@pytest.mark.parametrize(("text", "count"), [("w-8,wl-16,i-8,none-12", 46), ("w-4", 6), ("w-5", 6), ("w-1", 2)])
def test_frames_are_padded_to_4n_plus_1(text: str, count: int) -> None:
    assert len(poses(text)) == count


@pytest.mark.parametrize("text", ["W-8, WL-16", " w - 8 ， wl-16\n", "w-8，wl-16"])
def test_capitals_blanks_and_full_width_commas(text: str) -> None:
    np.testing.assert_array_equal(poses(text), poses("w-8,wl-16"))


def test_the_last_pose_of_the_example() -> None:
    last = poses("w-8,wl-16,i-8,none-12")[-1]
    expected = [[0.84805, 0.14607, 0.50939], [0, 0.96126, -0.27564], [-0.52992, 0.23375, 0.81520]]
    np.testing.assert_allclose(last[:3, :3], expected, atol=1e-5)
    np.testing.assert_allclose(last[:3, 3], (0.23088, 0, 1.15518), atol=1e-5)


@pytest.mark.parametrize("keys", ["w", "wa", "wd", "sa", "sd", "a"])
def test_diagonals_are_as_long_as_the_others(keys: str) -> None:
    assert np.linalg.norm(poses(f"{keys}-4")[4, :3, 3]) == pytest.approx(0.2)


def test_opposite_keys_cancel() -> None:
    np.testing.assert_array_equal(poses("wsadijkl-4"), np.tile(np.eye(4), (6, 1, 1)))


@pytest.mark.parametrize(("keys", "degrees"), [("i", 84.0), ("k", -84.0)])
def test_pitch_stops_at_84_degrees(keys: str, degrees: float) -> None:
    forward = poses(f"{keys}-60,w-4")[-1]
    assert np.degrees(np.arcsin(-forward[1, 2])) == pytest.approx(degrees)
    np.testing.assert_allclose(forward[:3, 3], (0, 0, 0.2), atol=1e-12)


@pytest.mark.parametrize("text", ["", "w", "w-0", "x-3", "w-8,,a-2", "w--1", "w-1.5", "none", "w-99999999", "w-٣"])
def test_what_is_no_action_string_is_named(text: str) -> None:
    with pytest.raises(InputError, match="action string"):
        parse_action_string(text)
