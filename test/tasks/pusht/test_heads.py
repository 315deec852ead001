"""The shipped heads on real frames, damaged ones, and the command that makes them."""

import logging
from pathlib import Path

import numpy as np
import pytest
import yaml

from lingbot_ros.cli.main import main
from lingbot_ros.engine.artifacts import ARTIFACTS_VARIABLE
from lingbot_ros.engine.interface import EngineOptions
from lingbot_ros.engine.onnx_engine import OnnxEngine
from lingbot_ros.errors import InputError, ModelError
from lingbot_ros.tasks.pusht.dataset.episode import EpisodeMaker, episode_seed
from lingbot_ros.tasks.pusht.head_training.calibrate import expected_calibration_error, fit_platt
from lingbot_ros.tasks.pusht.head_training.futures import imagine_near_goal, imagined_outcomes
from lingbot_ros.tasks.pusht.head_training.outcome_data import make_outcomes
from lingbot_ros.tasks.pusht.heads import InverseDynamics, Outcome, OutcomeHead
from lingbot_ros.world import World
from test.support.tiny_model import write_tiny_model

MODELS = Path(__file__).parents[3] / "models"


def test_the_outcome_head_knows_coverage_and_success_of_scenes_it_has_not_seen() -> None:
    data = make_outcomes(300, seed=12345)
    outcome = OutcomeHead()(data.frames)
    error = np.abs(outcome.coverage - data.coverage).mean()
    assert error < 0.5 * np.abs(data.coverage - np.median(data.coverage)).mean()
    rate = data.success.mean()
    assert np.mean((outcome.success - data.success) ** 2) < rate * (1 - rate)
    assert (outcome.reward >= 0).all() and (outcome.reward <= 1).all()


def test_the_inverse_head_reads_actions_better_than_the_pusher_alone() -> None:
    episode = EpisodeMaker().make(episode_seed("test", 3, 0), 40)
    frames = np.stack([episode.frames[t : t + 3] for t in range(38)])
    actions, spread = InverseDynamics()(frames)
    true = episode.actions[1:39]
    error = np.median(np.hypot(*(actions - true).T))
    assert error < np.median(np.hypot(*(episode.pusher[2:40] - true).T))
    assert (spread > 0).all()


def test_damage_and_wrong_use_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="known heads: .*pusht-outcome"):
        OutcomeHead("nothing")
    with pytest.raises(ModelError, match="kind 'outcome', not 'inverse-dynamics'"):
        InverseDynamics("pusht-outcome")
    with pytest.raises(InputError, match="frames: got float64"):
        OutcomeHead()(np.zeros((1, 96, 96, 3)))  # type: ignore[arg-type]
    for name in ("head.yaml", "head.safetensors"):
        (tmp_path / name).write_bytes((MODELS / "pusht-outcome" / name).read_bytes())
    with (tmp_path / "head.safetensors").open("ab") as file:
        file.write(b"x")
    with pytest.raises(ModelError, match="not the file that"):
        OutcomeHead(tmp_path)
    (tmp_path / "head.yaml").write_text("- nothing\n")
    with pytest.raises(ModelError, match="cannot be read"):
        OutcomeHead(tmp_path)


@pytest.mark.parametrize("name", ["pusht-outcome", "pusht-inverse"])
def test_shipped_heads_are_small_and_say_how_good_they_are(name: str) -> None:
    card = yaml.safe_load((MODELS / name / "head.yaml").read_text())
    assert card["weights"]["bytes"] < 1_500_000
    assert set(card["quality"]) == {"real_frames", "imagined_frames"}
    assert (MODELS / name / "reliability.png").is_file()


def test_the_command_trains_a_head_that_loads(tmp_path: Path) -> None:
    arguments = ["train-head", "outcome", "--scenes", "60", "--iterations", "12", "--out", str(tmp_path / "head")]
    assert main(arguments) == 0
    outcome = OutcomeHead(tmp_path / "head")(make_outcomes(2, seed=1).frames)
    assert outcome.coverage.shape == (2,)
    assert main(["train-head", "outcome", "--iterations", "0", "--out", str(tmp_path / "bad")]) == 2


def test_a_head_that_has_seen_imagined_images_says_whose(tmp_path: Path) -> None:
    out = tmp_path / "head"
    arguments = ["train-head", "outcome", "--scenes", "60", "--iterations", "12", "--futures", "5", "--out", str(out)]
    assert main([*arguments, "--imagined-by", "pusht-small"]) == 0
    training = yaml.safe_load((out / "head.yaml").read_text())["training"]
    digest = yaml.safe_load((MODELS / "pusht-small" / "card.yaml").read_text())["weights"]["sha256"]
    assert (training["futures"], training["imagined_by"]) == (5, digest)
    assert "--imagined-by pusht-small --futures 5" in training["command"]
    assert main([*arguments, "--imagined-by", str(write_tiny_model(tmp_path))]) == 2


def test_images_carry_the_coverage_that_the_simulator_came_to() -> None:
    """Frame by frame: what the head is told of an imagined image is true of the simulator's at that time."""
    world = World.load("pusht-small", threads=1)
    futures, data = imagine_near_goal(world, 3, seed=10**6 + 4), imagined_outcomes(world, 3, seed=4, quiet=True)
    np.testing.assert_array_equal(data.frames, futures.imagined[:, 1:].reshape(-1, 96, 96, 3))
    np.testing.assert_array_equal(data.coverage, futures.coverage.ravel())
    assert not np.array_equal(imagine_near_goal(world, 1, seed=4).imagined, futures.imagined[:1])


def test_platt_scaling_undoes_a_known_distortion() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(size=20000) * 2
    happened = rng.random(20000) < 1 / (1 + np.exp(-truth))
    slope, offset = fit_platt(3 * truth - 1, happened)
    assert slope == pytest.approx(1 / 3, abs=0.02) and offset == pytest.approx(1 / 3, abs=0.05)
    probability = 1 / (1 + np.exp(-truth))
    assert expected_calibration_error(probability, happened) < 0.02
    assert expected_calibration_error(probability**3, happened) > 0.05


@pytest.mark.parametrize(("head", "name"), [(OutcomeHead, "pusht-outcome"), (InverseDynamics, "pusht-inverse")])
def test_a_head_says_the_same_on_another_engine(
    head: type[OutcomeHead | InverseDynamics],
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Where it was exported; else PyTorch runs it, and the log says so. Nine images are forwards of eight and one."""
    monkeypatch.setenv(ARTIFACTS_VARIABLE, str(tmp_path))
    caplog.set_level(logging.INFO)
    engine = OnnxEngine(EngineOptions(threads=1))
    assert head(name, engine)._network.__class__ is head(name)._network.__class__
    assert f"head {name}: torch; onnxruntime: NOT_EXPORTED, `lingbot export {name}` does it" in caplog.text
    assert main(["export", name]) == 0
    episode = EpisodeMaker().make(episode_seed("test", 3, 0), 12)
    frames = episode.frames[:9] if head is OutcomeHead else np.stack([episode.frames[t : t + 3] for t in range(9)])
    on_engine = head(name, engine)
    assert set(on_engine._network._programs) == {1, 8}
    found, expected = on_engine(frames), head(name)(frames)
    pairs = zip(*(vars(one).values() if isinstance(one, Outcome) else one for one in (found, expected)), strict=True)
    for mine, theirs in pairs:
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-5)
