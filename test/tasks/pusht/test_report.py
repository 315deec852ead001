"""The measurements on futures made by the simulator itself, by doing nothing and by a model that cannot know."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.open_loop import imagine
from lingbot_ros.tasks.pusht.report.comparison import compare
from lingbot_ros.tasks.pusht.report.evaluation import evaluate
from lingbot_ros.tasks.pusht.report.files import rank_windows, save_report
from lingbot_ros.tasks.pusht.report.measurements import measure_windows
from lingbot_ros.tasks.pusht.report.report import Measurements, ModelReport, make_report
from lingbot_ros.tasks.pusht.report.text import report_text
from lingbot_ros.tasks.pusht.report.wrong_actions import WrongFuture, wrong_actions
from lingbot_ros.tasks.pusht.simulator.simulator import PushTSimulator, PushTState
from lingbot_ros.tasks.pusht.windows import PushTWindows
from lingbot_ros.world import World
from test.support.tiny_model import write_tiny_model

ABOUT_MODEL: dict[str, object] = {"name": "a simulator", "engine": "pymunk", "threads": 1}
ABOUT_WINDOWS: dict[str, object] = {"count": 10, "context": 3}


def simulate(windows: PushTWindows, actions: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Images [N, F, ...] and pusher positions [N, F, 2] of the simulator from the end of each context."""
    simulator, last = PushTSimulator(), windows.context - 1
    pictures, pushers = [], []
    for n in range(len(windows)):
        simulator.set_state(
            PushTState(windows.pusher[n, last], windows.pusher_velocity[n, last], windows.block[n, last])
        )
        steps = [(simulator.step(action).pusher, simulator.render()) for action in actions[n]]
        pushers.append([pusher for pusher, _ in steps])
        pictures.append([picture for _, picture in steps])
    return np.array(pictures), np.array(pushers)


@pytest.fixture(scope="module")
def perfect(windows: PushTWindows) -> tuple[Measurements, ModelReport]:
    pictures, pushers = simulate(windows, wrong_actions(windows, "shuffled"))
    wrong = {"shuffled": WrongFuture(pictures, pictures, pushers)}
    measured = measure_windows(windows, windows.future, wrong, frame_s=np.array([0.01, 0.02, 0.03]))
    return measured, make_report(measured, ABOUT_MODEL, ABOUT_WINDOWS)


@pytest.fixture(scope="module")
def motionless(windows: PushTWindows) -> ModelReport:
    still = np.repeat(windows.past[:, -1:], windows.horizon, axis=1)
    pictures, pushers = simulate(windows, wrong_actions(windows, "shuffled"))
    measured = measure_windows(
        windows, still, {"shuffled": WrongFuture(still, pictures, pushers)}, frame_s=np.array([0.01])
    )
    return make_report(measured, ABOUT_MODEL, ABOUT_WINDOWS)


def test_the_simulator_reaches_every_figure(
    perfect: tuple[Measurements, ModelReport],
) -> None:
    report = perfect[1]
    assert [check.name for check in report.required if not check.passed] == []
    assert len(report.required) == 6
    assert [row.name for row in report.minimum if not row.passed] == []
    assert {row.verdict for row in report.minimum if row.target is not None} == {"target"}
    assert report.meets_required and report.meets_minimum
    assert report.max_horizon == 16
    shuffled = report.wrong_actions["shuffled"]
    assert shuffled["from_same"]["pusher_px_median"][1].value < 0.3
    assert shuffled["from_same"]["block_iou_mean"][1].value == 1.0
    for figure, value in shuffled["from_true"].items():
        assert value[1].value == pytest.approx(shuffled["change"][figure][1].value, rel=0.05), figure
    assert shuffled["from_true"]["pusher_px_median"][1].value > 10.0
    assert report.speed_ms["p50"] == pytest.approx(20.0)


def test_doing_nothing_meets_nothing_required(motionless: ModelReport) -> None:
    assert [check.name for check in motionless.required if check.passed] == []
    assert motionless.wrong_actions["shuffled"]["pusher_ratio_1_to_16"].value == pytest.approx(1.0)
    assert motionless.all_windows["model"] == motionless.all_windows["repeat"]
    assert motionless.max_horizon == 0
    assert not motionless.meets_minimum


def test_trust_ends_before_the_first_frame_that_breaks_a_limit(windows: PushTWindows) -> None:
    """The true future up to frame 8, then an image in which the block has become a blob."""
    windows = windows.first(5)
    melting = windows.future.copy()
    melting[:, 8:] = [[cv2.GaussianBlur(frame, (0, 0), 4.0) for frame in frames] for frames in melting[:, 8:]]
    report = make_report(measure_windows(windows, melting, {}, np.array([0.01])), ABOUT_MODEL, ABOUT_WINDOWS)
    assert report.max_horizon == 8
    broken = next(row for row in report.trust if not row.holds)
    assert broken.frame == 12
    assert "block rigidity, mean" in [check.name for check in broken.checks if not check.passed]


def test_what_leaves_the_table_is_not_held_against_the_pusher(windows: PushTWindows) -> None:
    """The target (0, 0) draws the pusher into the corner, where three quarters of it are out of the image."""
    some = windows.first(3)
    pictures, pushers = simulate(some, wrong_actions(some, "zero"))
    measured = measure_windows(some, some.future, {"zero": WrongFuture(pictures, pictures, pushers)}, np.array([0.01]))
    zero = make_report(measured, ABOUT_MODEL, ABOUT_WINDOWS).wrong_actions["zero"]
    assert zero["count"] == 3
    assert np.isnan(zero["from_same"]["pusher_px_median"][1].value)
    assert zero["change"]["pusher_px_median"][1].value > 20.0


def test_a_precision_is_held_against_another_window_by_window(windows: PushTWindows) -> None:
    some = windows.first(3)
    rougher = np.clip(some.future.astype(np.int16) + np.indices(some.future.shape[2:4]).sum(0)[..., None] % 2, 0, 255)
    same = compare(some, ("f32", some.future), ("bf16", some.future), np.array([0.01]))
    worse = compare(some, ("f32", some.future), ("int8", rougher.astype(np.uint8)), np.array([0.01]))
    assert same.within and all(row.difference.value == 0 for row in same.differences)
    assert not worse.within
    assert [row.frame for row in worse.differences if row.measure == "psnr_db"] == [1, 16]


def test_ranking_goes_from_best_to_worst(windows: PushTWindows) -> None:
    mixed = windows.future.copy()
    mixed[4] = 255
    order = rank_windows(measure_windows(windows, mixed, {}, np.array([0.01])))
    assert order[-1] == 4
    assert sorted(order) == list(range(10))


def test_report_on_disk_is_readable_and_has_no_nan(
    perfect: tuple[Measurements, ModelReport], windows: PushTWindows, tmp_path: Path
) -> None:
    measured, report = perfect
    save_report(tmp_path / "new" / "folder", report, measured, windows, windows.future)
    names = {path.name for path in (tmp_path / "new" / "folder").iterdir()}
    assert names == {"report.json", "report.txt", "table.md", "strips.png", "curves.png"}
    saved = json.loads((tmp_path / "new" / "folder" / "report.json").read_text(), parse_constant=pytest.fail)
    assert saved["schema_version"] == 3
    assert saved["frames"] == [1, 2, 4, 8, 12, 16]
    assert saved["all_windows"]["repeat"][3]["pusher_px"]["median"]["value"] > 3.0
    text = (tmp_path / "new" / "folder" / "report.txt").read_text()
    assert text == report_text(report) + "\n"
    assert "static pusher" in text
    assert "nan" not in text


def test_open_loop_is_observing_and_stepping_by_hand(tmp_path: Path, windows: PushTWindows) -> None:
    world = World.load(write_tiny_model(tmp_path, size=96))
    result = imagine(world, windows.past[0], windows.past_actions[0], windows.future_actions[0], seed=5)
    session = world.start(windows.frames[0, 0], seed=5)
    for k in (1, 2):
        session.observe(windows.frames[0, k : k + 1], windows.actions[0, k - 1 : k])
    by_hand = [session.step(windows.actions[0, k : k + 1])[0] for k in range(2, 18)]
    np.testing.assert_array_equal(result.frames, by_hand)
    assert len(result.chunk_s) == 16
    session.close()
    assert world.sessions == {}


def test_a_model_that_knows_nothing_is_found_out(tmp_path: Path) -> None:
    world = World.load(write_tiny_model(tmp_path, size=96))
    evaluation = evaluate(world, episodes=3, seed=1, context=2, horizon=8, kinds=("hold",), quiet=True)
    assert evaluation.imagined.shape == (3, 8, 96, 96, 3)
    assert not evaluation.report.meets_required
    assert evaluation.report.max_horizon == 0
    assert evaluation.report.model["weights_sha256"] == world.card.weights.sha256
    assert set(evaluation.report.wrong_actions) == {"hold"}


def test_a_world_that_is_not_push_t_is_refused(tmp_path: Path) -> None:
    world = World.load(write_tiny_model(tmp_path, size=32))
    with pytest.raises(InputError, match=r"^model: got tiny"):
        evaluate(world, episodes=1, seed=0, context=1, horizon=1, quiet=True)


@pytest.mark.parametrize(
    ("episodes", "context", "horizon", "field"), [(0, 2, 8, "episodes"), (1, 0, 8, "context"), (1, 2, 0, "horizon")]
)
def test_sizes_that_make_no_evaluation_are_refused(
    tmp_path: Path, episodes: int, context: int, horizon: int, field: str
) -> None:
    world = World.load(write_tiny_model(tmp_path, size=96))
    with pytest.raises(InputError, match=f"^{field}: got 0"):
        evaluate(world, episodes, seed=0, context=context, horizon=horizon, quiet=True)
