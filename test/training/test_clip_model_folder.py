"""What own clips train becomes a model that the world loads, with a card that says what is known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from lingbot_ros.cli.main import BAD_INPUT, main
from lingbot_ros.datasets.reader import ClipSet
from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.clip_evaluation import evaluate_clips
from lingbot_ros.evaluate.clip_windows import choose_windows
from lingbot_ros.evaluate.evaluation import EvaluationOptions
from lingbot_ros.tasks.data import open_training_data
from lingbot_ros.training.clip_model import begin_folder, check_folder
from lingbot_ros.training.export import export_model
from lingbot_ros.training.train import Limits, Trainer
from lingbot_ros.world import World
from test.support.own_clips import SMALL, TINY_CONFIG, write_small_set
from test.support.tiny_model import write_tiny_model

OPTIONS = EvaluationOptions(episodes=9, seed=0, context=2, horizon=3, quiet=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_set(tmp_path_factory.mktemp("clips"), low=(-1.0, -1.0), high=(1.0, 0.9))


@pytest.fixture(scope="module")
def model(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("models") / "mine"
    data = open_training_data(folder, TINY_CONFIG)
    trainer = Trainer(TINY_CONFIG, data.source, data.background, out.with_name("run"))
    trainer.train(Limits(iterations=2))
    data.check_export(out)
    data.begin_export(out)
    data.check_export(out)  # no weights yet, as after an export that was interrupted
    export_model(trainer.average, TINY_CONFIG, out)
    return out


def test_the_world_loads_it_and_starts_from_a_held_back_image(folder: Path, model: Path) -> None:
    world, clips = World.load(model), ClipSet(folder)
    assert (world.info.name, world.info.height, world.info.fps) == ("mine", 16, 10.0)
    assert (world.info.control.names, world.info.control.high) == (("x", "y"), (1.0, 0.9))
    assert world.card.licence == "unknown" and world.card.max_horizon is None
    np.testing.assert_array_equal(world.seed_image(), clips.frames(clips.plan.validation[0])[0])
    assert world.start(world.seed_image()).step([[0.5, 0.9]]).shape == (1, 16, 16, 3)


def test_what_is_on_the_card_already_stays(folder: Path, model: Path) -> None:
    path = model / "card.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | {"licence": "CC0-1.0"}, sort_keys=False))
    begin_folder(model, ClipSet(folder), TINY_CONFIG.transformer, TINY_CONFIG.stream)
    assert World.load(model).card.licence == "CC0-1.0"


def test_another_models_folder_is_not_overwritten(folder: Path, tmp_path: Path) -> None:
    other = write_tiny_model(tmp_path)
    with pytest.raises(InputError, match="--export: got a model with height 32; .* has 16; give a new folder"):
        check_folder(other, ClipSet(folder))


def test_the_evaluation_stands_beside_what_costs_nothing(folder: Path, model: Path) -> None:
    clips = ClipSet(folder)
    evaluation = evaluate_clips(World.load(model), clips, OPTIONS)
    figures = evaluation.report.figures
    assert figures.windows == 2 and figures.horizon == 3 and evaluation.imagined.shape == (2, 3, 16, 16, 3)
    frames, _ = SMALL[clips.plan.validation[0]]
    np.testing.assert_array_equal(evaluation.real[1], frames[7:10])
    assert evaluation.titles[1] == f"episode {clips.plan.validation[0]}, frame 7"
    assert evaluation.report.data["episodes"] == [clips.plan.validation[0]]


def test_windows_lie_end_to_end_in_held_back_episodes(folder: Path) -> None:
    clips = ClipSet(folder)
    (held,) = clips.plan.validation
    assert choose_windows(clips, 50, 0, 4) == [(held, 0), (held, 4), (held, 8)]
    drawn = choose_windows(clips, 2, 0, 4)
    assert len(drawn) == 2 and drawn == choose_windows(clips, 2, 0, 4)
    with pytest.raises(InputError, match="--horizon: got 8 frames .* 2 are needed and the longest .* has 13"):
        choose_windows(clips, 50, 0, 8)


def test_clips_of_another_kind_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="tiny, 32x32 at 10 fps, action of 2; the clips are 16x16"):
        evaluate_clips(World.load(write_tiny_model(tmp_path)), ClipSet(folder), OPTIONS)


def test_the_command_reports_and_quotes_on_the_card(
    folder: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["eval-model", str(model), "--data", str(folder), "--horizon", "3", "--context", "2"]
    assert main([*command, "--out", str(tmp_path), "--json", str(tmp_path / "r.json"), "--card"]) == 0
    assert "repeating the last real frame" in capsys.readouterr().out
    assert {path.name for path in tmp_path.iterdir()} == {"report.json", "report.txt", "strips.png", "r.json"}
    quality = World.load(model).card.quality
    assert quality["frames"] == [1, 2, 3] and len(quality["figures"]["psnr_db_mean_imagined"]) == 3
    assert main([*command, "--horizon", "0"]) == BAD_INPUT


def test_the_frame_rate_counts(folder: Path, model: Path, tmp_path: Path) -> None:
    clips = ClipSet(folder)
    clips.plan = replace(clips.plan, fps=5.0)
    with pytest.raises(InputError, match="at 10 fps, action of 2; the clips are 16x16 at 5 fps"):
        evaluate_clips(World.load(model), clips, OPTIONS)
