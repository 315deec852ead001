"""A recording beside the imagined one: error over horizon, divergence, action-following, and the report of it."""

import json
from pathlib import Path

import numpy as np
import pytest

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.reality.calibration import Calibration, calibrate
from lingbot_ros.evaluate.reality.comparison import Window, compare, cut_windows, divergence_frame
from lingbot_ros.evaluate.reality.deviation import appearance_change, local_error
from lingbot_ros.evaluate.reality.episodes import Episode
from lingbot_ros.evaluate.reality.imagining import imagine_along
from lingbot_ros.evaluate.reality.monitor import normal_windows
from lingbot_ros.evaluate.reality.report import write_against
from lingbot_ros.evaluate.reality.study import Study, study
from test.cli.test_evaluate import Checked
from test.support.dot_world import DotStepper, draw, recorded

MODEL = {"name": "dot", "weights_sha256": "0"}


def studied(*episodes: Episode, length: int = 8, calibration: Calibration | None = None) -> tuple[Study, list[object]]:
    windows = list(cut_windows(episodes, length))
    result, compared = study(DotStepper(), windows, calibration=calibration)
    return result, list(compared)


def test_a_faithful_model_follows_and_never_parts() -> None:
    result, _ = studied(recorded(44, 1), recorded(47, 2))
    assert (len(result.names), result.horizon, result.kept) == (10, 8, 10)
    assert result.follows and result.follows_db.low > 3 and result.usable_frames == 8
    assert result.divergence_s == float("inf") and result.calibration is None
    assert min(result.skill) > 0.8 and result.psnr_db[-1].value > 35 > result.frozen_db[-1].value


def test_where_reality_changes_it_is_told_to_the_frame() -> None:
    episode = recorded(8, 1)
    for frame in range(4, 9):
        episode.images[frame] = draw(episode.actions[frame - 1], box=(24, 10))
    result, _ = studied(episode)
    assert result.diverged == [4] and result.divergence_s == pytest.approx(0.4)


def test_a_model_that_is_deaf_to_actions_is_found_out() -> None:
    class Deaf(DotStepper):
        def step(self, actions):  # type: ignore[no-untyped-def]
            return super().step({row: np.full_like(mine, 20.0) for row, mine in actions.items()})

    result, _ = study(Deaf(), list(cut_windows([recorded(40, 1)], 8)))
    assert not result.follows and result.follows_db.value == pytest.approx(0)


def test_divergence_takes_three_frames_or_the_end() -> None:
    errors = np.array([0, 50, 0, 50, 50, 50, 0.0])
    assert divergence_frame(errors, 30) == 4
    assert divergence_frame(np.array([0, 0, 50.0]), 30) == 3
    assert divergence_frame(np.zeros(5), 30) is None


def test_a_local_error_does_not_vanish_in_the_background_or_between_patches() -> None:
    here, right = np.full(2, 20.0), np.array((1.0, 0.0))
    errors = [local_error(imagined=draw(here), reference=draw(here + shift * right)) for shift in (0, 2, 9, 11)]
    here = draw(here)
    assert errors[0] == 0 and errors == sorted(errors) and errors[-1] > 100
    assert appearance_change(here, here) == 0
    assert appearance_change(np.zeros_like(here), here) > 2
    assert np.isfinite(appearance_change(here, np.zeros_like(here)))


def test_whole_chunks_are_imagined_and_places_are_freed() -> None:
    stepper, episode = DotStepper(chunk=3), recorded(8, 1)
    assert len(imagine_along(stepper, 0, episode.images[:1], episode.actions)) == 6
    assert not stepper.open
    with pytest.raises(InputError, match=r"^actions: got 2 of them; give 3 or more"):
        imagine_along(stepper, 0, episode.images[:1], episode.actions[:2])
    for bad in (episode.actions[:, :1], np.full((3, 2), np.nan)):
        with pytest.raises(InputError, match=r"^actions: got"):
            imagine_along(stepper, 0, episode.images[:1], bad)
    with pytest.raises(InputError, match=r"^images, actions: got 9 images and 7 actions"):
        compare(stepper, Window("short", episode.images, episode.actions[:7]))


def test_the_report_is_whole_and_stands_alone(tmp_path: Path) -> None:
    windows = normal_windows(DotStepper(), [recorded(9 * 40, seed=4)], 8)
    normal = calibrate(windows, model="dot", weights_sha256="0")
    result, compared = studied(recorded(278, 3), calibration=normal)
    said = write_against(tmp_path, result, compared, MODEL, "<bag>", "lingbot evaluate --against <bag>")
    assert "it follows its actions" in said and "31 windows" in said
    record = json.loads((tmp_path / "against.json").read_text())
    assert record["schema"] == "lingbot.against/1" and record["divergence_s"] is None
    assert len(record["psnr_db"]) == 8 and len(record["names"]) == 31 and record["follows"]
    assert Calibration.load(tmp_path / "trust.json") == result.calibration
    page = (tmp_path / "index.html").read_text()
    checked = Checked()
    checked.feed(page)
    assert not checked.open and not checked.fetched and {"svg", "table", "img"} <= checked.seen
    assert "&lt;bag&gt;" in page and "<bag>" not in page


def test_what_it_is_told_shows_in_what_it_does() -> None:
    fidelity = studied(recorded(200, 1), recorded(200, 2))[0].fidelity
    assert fidelity.blind is False and fidelity.effect_ratio is not None and fidelity.effect_ratio > 5
    assert fidelity.latency_frames == 0 and fidelity.looks_ahead is False
    assert fidelity.following is not None and fidelity.following.mean is not None and fidelity.following.mean > 0.4
    assert fidelity.following_share == pytest.approx(1, abs=0.15)
    assert fidelity.usable.usable_frames == 8 and fidelity.flicker is not None
    assert fidelity.looks["sharpness"][-1] == pytest.approx(1, abs=0.2) and len(fidelity.looks["exposure"]) == 8


@pytest.mark.parametrize("defect", ["deaf", "mirrored", "late", "fading"])
def test_each_defect_is_found_by_its_figure(defect: str) -> None:
    class Faulty(DotStepper):
        before = np.full(2, 20.0)

        def step(self, actions):  # type: ignore[no-untyped-def]
            obeyed = {}
            for row, mine in actions.items():
                changes = {
                    "deaf": np.full_like(mine, 20.0),
                    "mirrored": mine * (-1, 1) + (28, 0),
                    "late": self.before[None].copy(),
                    "fading": mine,
                }
                obeyed[row] = changes[defect]
                self.before = np.array(mine[-1])
            made = super().step(obeyed)
            return {row: one // 2 + 60 for row, one in made.items()} if defect == "fading" else made

    windows = list(cut_windows([recorded(200, 1), recorded(200, 2)], 8))
    found = study(Faulty(), windows)[0].fidelity
    assert found.following is not None and found.following_share is not None
    if defect == "deaf":
        assert found.blind and found.latency_frames is None and found.following_share < 0.3
    elif defect == "mirrored":
        assert not found.blind and found.following.r2[0] < 0 < found.following.r2[1]
    elif defect == "late":
        assert found.latency_frames == 1
    else:
        assert found.looks["contrast"][0] < 0.6
        assert found.looks_real["contrast"][0] > 0.9


def test_few_windows_say_little() -> None:
    fidelity = studied(recorded(40, 1))[0].fidelity
    assert (fidelity.effect_ratio, fidelity.following, fidelity.following_share) == (None, None, None)
