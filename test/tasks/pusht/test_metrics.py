"""Measures on futures whose errors are known: the real one, a still one, a vanished one."""

import numpy as np
import pytest

from lingbot_ros.evaluate.bootstrap import summarise
from lingbot_ros.evaluate.metric import PSNR_CEILING_DB, psnr_db
from lingbot_ros.tasks.pusht.dataset.held_out import random_windows, stack_windows
from lingbot_ros.tasks.pusht.geometry import centroid_at
from lingbot_ros.tasks.pusht.metrics import measure, pusher_errors
from lingbot_ros.tasks.pusht.report.wrong_actions import KINDS, wrong_actions
from lingbot_ros.tasks.pusht.windows import PushTWindows, is_pushed


def test_psnr_of_known_differences() -> None:
    grey = np.full((8, 8, 3), 100, np.uint8)
    assert psnr_db(grey, grey + np.uint8(1)) == pytest.approx(48.13, abs=0.01)
    assert psnr_db(grey, grey + np.uint8(10)) == pytest.approx(28.13, abs=0.01)
    assert psnr_db(grey, grey) == PSNR_CEILING_DB


def test_the_real_future_is_right_up_to_the_readers_floor(windows: PushTWindows) -> None:
    real, pusher, block = windows.future, windows.pusher[:, 3:], windows.block[:, 3:]
    measures = measure(real[:4], real[:4], pusher[:4], block[:4])
    assert (measures.psnr_db == PSNR_CEILING_DB).all()
    assert (measures.block_iou == 1.0).all()
    assert (measures.centroid_px == 0.0).all()
    assert (measures.lost == 0.0).all()
    assert np.median(measures.pusher_px) < 0.3
    np.testing.assert_array_equal(pusher_errors(real[:4], pusher[:4]), measures.pusher_px)


def test_a_still_future_is_wrong_by_what_moved(windows: PushTWindows) -> None:
    still = windows.past[:, -1:]
    last, after = windows.context - 1, windows.context + 15
    real = windows.future[:, 15:16]
    measures = measure(still, real, windows.pusher[:, after, None], windows.block[:, after, None])
    travelled = np.hypot(*(windows.pusher[:, after] - windows.pusher[:, last]).T) * 96 / 512
    np.testing.assert_allclose(measures.pusher_px[:, 0], travelled, atol=0.6)
    pushed = np.hypot(*(centroid_at(windows.block[:, after]) - centroid_at(windows.block[:, last])).T) * 96 / 512
    np.testing.assert_allclose(measures.pose_px[:, 0], pushed, atol=0.8)


def test_what_vanished_is_wrong_by_the_whole_image(windows: PushTWindows) -> None:
    empty = np.full((1, 1, 96, 96, 3), 255, np.uint8)
    measures = measure(empty, windows.future[:1, :1], windows.pusher[:1, 3:4], windows.block[:1, 3:4])
    assert measures.lost[0, 0] == 1.0
    assert measures.pusher_px[0, 0] == 96.0
    assert measures.centroid_px[0, 0] == 96.0
    assert measures.pose_px[0, 0] == 96.0
    assert measures.pose_deg[0, 0] == 180.0
    assert measures.rigidity[0, 0] == 0.0
    assert measures.block_iou[0, 0] == 0.0


def test_every_window_has_its_push_early(windows: PushTWindows) -> None:
    before, after = windows.block[:, 2], windows.block[:, 18]
    moved = np.linalg.norm(centroid_at(after) - centroid_at(before), axis=-1)
    assert ((moved > 10.0) | (np.abs(after[:, 2] - before[:, 2]) > 0.1)).all()
    assert all(seed % 10 == 9 for seed in windows.seeds)
    assert len(set(windows.seeds)) == len(windows)
    assert windows.future_actions.shape == (10, 16, 2)
    assert windows.past_actions.shape == (10, 2, 2)


def test_wrong_actions_are_wrong_in_the_way_they_say(windows: PushTWindows) -> None:
    true = windows.future_actions
    shuffled, hold, zero, flipped = (wrong_actions(windows, kind) for kind in KINDS)
    np.testing.assert_array_equal(shuffled[1], true[0])
    np.testing.assert_array_equal(shuffled[0], true[-1])
    np.testing.assert_allclose(hold[:, 7], windows.pusher[:, 2], rtol=1e-6)
    assert zero.shape == true.shape and not zero.any()
    np.testing.assert_allclose(flipped + true, 512.0, rtol=1e-6)


def test_any_window_is_drawn_by_its_seed_alone(windows: PushTWindows) -> None:
    drawn = stack_windows(list(random_windows(6, base_seed=0, context=3, horizon=16)), context=3, horizon=16)
    again = stack_windows(list(random_windows(2, base_seed=0, context=3, horizon=16)), context=3, horizon=16)
    np.testing.assert_array_equal(drawn.first(2).frames, again.frames)
    assert drawn.seeds == tuple(10 * n + 9 for n in range(6))
    assert windows.contact.all()


def test_contact_is_a_push_of_ten_units_or_a_tenth_of_a_turn() -> None:
    rest = np.array([200.0, 200.0, 1.0])
    assert not is_pushed(rest, rest + np.array([9.0, 0.0, 0.0]))
    assert is_pushed(rest, rest + np.array([11.0, 0.0, 0.0]))
    assert not is_pushed(rest, rest + np.array([0.0, 0.0, 0.09]))
    assert is_pushed(rest, rest + np.array([0.0, 0.0, -0.11]))


def test_interval_of_constants_is_a_point() -> None:
    summary = summarise(np.full((12, 3), 2.5), "median")
    assert (summary.value, summary.low, summary.high) == (2.5, 2.5, 2.5)


def test_interval_narrows_with_the_root_of_the_windows() -> None:
    values = np.random.default_rng(0).normal(0.0, 1.0, 1600)
    few, many = summarise(values[:100], "mean"), summarise(values, "mean")
    assert few.low < few.value < few.high
    assert (few.high - few.low) / (many.high - many.low) == pytest.approx(4.0, rel=0.35)
    assert many.high - many.low == pytest.approx(2 * 1.96 / 40, rel=0.15)


def test_frames_of_a_window_are_not_counted_as_windows() -> None:
    """Ten frames that say the same thing make a window no surer."""
    values = np.random.default_rng(1).normal(0.0, 1.0, (50, 1))
    alone, repeated = summarise(values, "mean"), summarise(np.repeat(values, 10, axis=1), "mean")
    assert repeated.high - repeated.low == pytest.approx(alone.high - alone.low, rel=0.05)


def test_no_windows_have_no_figure() -> None:
    assert np.isnan(summarise(np.empty(0), "mean").value)
