"""The judge on futures made by the simulator itself, by doing nothing and by a model that cannot know."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.judge import WrongFuture, judge
from lingbot_ros.evaluate.model_report import Judged, ModelReport, make_report
from lingbot_ros.evaluate.open_loop import imagine
from lingbot_ros.evaluate.pusht_windows import PushTWindows
from lingbot_ros.evaluate.report_files import rank_windows, save_report
from lingbot_ros.evaluate.report_text import report_text
from lingbot_ros.evaluate.wrong_actions import wrong_actions
from lingbot_ros.simulators.pusht import PushTSimulator, PushTState
from lingbot_ros.training.pusht_data.trial import run_trial
from lingbot_ros.world import World
from test.support.tiny_model import write_tiny_model

ABOUT_MODEL: dict[str, object] = {"name": "a simulator", "engine": "pymunk", "threads": 1}
ABOUT_WINDOWS: dict[str, object] = {"count": 10, "context": 3}


def simulate(windows: PushTWindows, actions: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Pictures [N, F, ...] and pusher positions [N, F, 2] of the simulator from the end of each context."""
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
def perfect(windows: PushTWindows) -> tuple[Judged, ModelReport]:
    pictures, pushers = simulate(windows, wrong_actions(windows, "shuffled"))
    wrong = {"shuffled": WrongFuture(pictures, pushers)}
    judged = judge(windows, windows.future, wrong, frame_s=np.array([0.01, 0.02, 0.03]))
    return judged, make_report(judged, ABOUT_MODEL, ABOUT_WINDOWS)


@pytest.fixture(scope="module")
def motionless(windows: PushTWindows) -> ModelReport:
    still = np.repeat(windows.past[:, -1:], windows.horizon, axis=1)
    _, pushers = simulate(windows, wrong_actions(windows, "shuffled"))
    judged = judge(windows, still, {"shuffled": WrongFuture(still, pushers)}, frame_s=np.array([0.01]))
    return make_report(judged, ABOUT_MODEL, ABOUT_WINDOWS)


def test_the_simulator_meets_every_demand(perfect: tuple[Judged, ModelReport]) -> None:
    report = perfect[1]
    assert [check.name for check in report.checks if not check.passed] == []
    assert len(report.checks) == 6
    shuffled = report.wrong_actions["shuffled"]
    assert shuffled["from_same_px"].value < 0.3
    assert shuffled["from_true_px"].value > 10.0
    assert report.speed_ms["p50"] == pytest.approx(20.0)


def test_doing_nothing_meets_no_demand(motionless: ModelReport) -> None:
    assert [check.name for check in motionless.checks if check.passed] == []
    assert motionless.wrong_actions["shuffled"]["ratio"].value == pytest.approx(1.0)
    assert motionless.all_windows["model"] == motionless.all_windows["repeat"]


def test_ranking_goes_from_best_to_worst(windows: PushTWindows) -> None:
    mixed = windows.future.copy()
    mixed[4] = 255
    order = rank_windows(judge(windows, mixed, {}, np.array([0.01])))
    assert order[-1] == 4
    assert sorted(order) == list(range(10))


def test_report_on_disk_is_readable_and_has_no_nan(
    perfect: tuple[Judged, ModelReport], windows: PushTWindows, tmp_path: Path
) -> None:
    judged, report = perfect
    save_report(tmp_path / "new" / "folder", report, judged, windows, windows.future)
    names = {path.name for path in (tmp_path / "new" / "folder").iterdir()}
    assert names == {"report.json", "report.txt", "strips.png", "curves.png"}
    saved = json.loads((tmp_path / "new" / "folder" / "report.json").read_text(), parse_constant=pytest.fail)
    assert saved["schema_version"] == 1
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
    trial = run_trial(world, episodes=3, seed=1, context=2, horizon=8, kinds=("hold",), quiet=True)
    assert trial.imagined.shape == (3, 8, 96, 96, 3)
    assert not all(check.passed for check in trial.report.checks)
    assert trial.report.model["weights_sha256"] == world.card.weights.sha256
    assert set(trial.report.wrong_actions) == {"hold"}


def test_a_world_that_is_not_push_t_is_refused(tmp_path: Path) -> None:
    world = World.load(write_tiny_model(tmp_path, size=32))
    with pytest.raises(InputError, match=r"^model: got tiny"):
        run_trial(world, episodes=1, seed=0, context=1, horizon=1, quiet=True)


@pytest.mark.parametrize(
    ("episodes", "context", "horizon", "field"), [(0, 2, 8, "episodes"), (1, 0, 8, "context"), (1, 2, 0, "horizon")]
)
def test_sizes_that_make_no_trial_are_refused(
    tmp_path: Path, episodes: int, context: int, horizon: int, field: str
) -> None:
    world = World.load(write_tiny_model(tmp_path, size=96))
    with pytest.raises(InputError, match=f"^{field}: got 0"):
        run_trial(world, episodes, seed=0, context=context, horizon=horizon, quiet=True)
