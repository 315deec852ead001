"""Validation of a model in training, and the gate that stops a run which does not learn."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.metric import Metric
from lingbot_ros.evaluate.windows import Windows
from lingbot_ros.training.config import GateConfig, TrainConfig
from lingbot_ros.training.ema_world import load_ema_world
from lingbot_ros.training.gate import Gate
from lingbot_ros.training.train import Limits, Trainer
from lingbot_ros.training.validation import Figure, Validation, ValidationResult
from lingbot_ros.training.validator import Validator
from test.support.tiny_training import CONFIG, PSNR, dot_data, with_gate


def begin(config: TrainConfig, run: Path, with_gate: bool = True, every: int = 0) -> tuple[Trainer, Validator]:
    data = dot_data(config)
    return Trainer(config, data.source, data.background, run), Validator(config, data, run, "cpu", every, with_gate)


def test_a_run_that_has_learned_nothing_is_stopped_and_says_what_to_do(tmp_path: Path) -> None:
    trainer, validator = begin(with_gate(bar=90.0), tmp_path)
    verdict = trainer.train(Limits(iterations=9), validator)
    assert verdict is not None and not verdict.passed and trainer.iteration == 1
    for part in ("psnr_db at open-loop frame 2", "90.0", "the last real frame repeated", "does not learn", "--no-gate"):
        assert part in verdict.message
    assert (tmp_path / "validation" / "000001.png").is_file()

    again, validator = begin(with_gate(bar=90.0), tmp_path)
    assert again.trained_seconds > 0 and not again.passed_gate
    assert again.train(Limits(iterations=9), validator) is not None and again.iteration == 2
    regardless, validator = begin(with_gate(bar=90.0), tmp_path, with_gate=False)
    assert regardless.train(Limits(iterations=5), validator) is None and regardless.iteration == 5


def test_a_run_that_learns_passes_once(tmp_path: Path) -> None:
    trainer, validator = begin(with_gate(), tmp_path)
    for _ in range(60):
        trainer._train_once(iterations=400)
    verdict = trainer.train(Limits(iterations=63), validator)
    assert verdict is not None and verdict.passed and trainer.iteration == 63
    assert len(list((tmp_path / "validation").iterdir())) == 1
    assert begin(with_gate(), tmp_path)[0].passed_gate


def test_the_gate_waits_for_its_time(tmp_path: Path) -> None:
    trainer, validator = begin(with_gate(after_minutes=60.0, bar=90.0), tmp_path)
    assert trainer.train(Limits(iterations=2), validator) is None
    trainer.trained_seconds = 3600.0
    assert trainer.train(Limits(iterations=4), validator) is not None


def test_validations_are_images_and_curves(tmp_path: Path) -> None:
    trainer, validator = begin(CONFIG, tmp_path, every=2)
    assert trainer.train(Limits(iterations=4), validator) is None
    names = sorted(path.name for path in (tmp_path / "validation").iterdir())
    assert names == ["000002.png", "000004.png"]
    # Three windows, real above imagined, at frames 1, 2 and 4.
    assert cv2.imread(str(tmp_path / "validation" / names[0])).shape == (3 * 2 * 34, 3 * 34, 3)
    log = EventAccumulator(str(tmp_path / "log")).Reload()
    assert [event.step for event in log.Scalars("validation_psnr_db/frame_4")] == [2, 4]
    assert len({event.value for event in log.Scalars("validation_psnr_db_baseline/frame_4")}) == 1
    assert [event.step for event in log.Images("validation")] == [2, 4]


def test_a_validation_counts_frames_from_the_end_of_the_context(tmp_path: Path) -> None:
    """Against futures that the model itself imagined every figure is perfect, at the right frame."""
    data, trainer = dot_data(), begin(CONFIG, tmp_path)[0]
    world = load_ema_world(trainer.average, CONFIG, data, "cpu")
    windows = data.new_validation().windows
    frames = windows.frames.copy()
    for n, window in enumerate(frames):
        session = world.start(window[0], seed=n)
        session.observe(window[1:2], windows.actions[n, :1])
        for k in range(windows.horizon):
            window[2 + k] = session.step(windows.actions[n, 1 + k : 2 + k])[0]
        session.close()
    mine = Windows(frames, windows.actions, windows.context)
    assert Validation(mine, (PSNR,))(world).figures["psnr_db"].model == (60.0, 60.0, 60.0)


@pytest.mark.parametrize(
    ("lower_is_better", "model", "still", "bar", "passes"),
    [
        (False, 0.6, 0.5, None, True),
        (False, 0.5, 0.5, None, False),
        (False, 0.6, 0.5, 0.7, False),
        (False, 0.8, 0.5, 0.7, True),
        (False, 0.8, 0.9, 0.7, False),
        (True, 2.0, 9.0, None, True),
        (True, 2.0, 9.0, 1.0, False),
        (True, float("nan"), 9.0, None, False),
    ],
)
def test_both_demands_must_be_met(lower_is_better: bool, model: float, still: float, bar: float, passes: bool) -> None:
    metric = Metric("x", lambda a, b: 0.0, "nothing", "no good", lower_is_better)
    validation = Validation(Windows(np.zeros((1, 5, 4, 4, 3), np.uint8), np.zeros((1, 4, 1), np.float32), 1), (metric,))
    gate = Gate(GateConfig("x", frame=4, bar=bar), validation)
    result = ValidationResult((1, 2, 4), {"x": Figure((0, 0, model), (0, 0, still))}, np.zeros((1, 1, 3), np.uint8))
    assert gate.check(result, 1.0).passed is passes


@pytest.mark.parametrize(("entry", "value"), [("figure", "beauty"), ("frame", 5)])
def test_a_gate_that_cannot_be_checked_is_refused_at_once(tmp_path: Path, entry: str, value: object) -> None:
    with pytest.raises(InputError, match=f"gate.{entry}"):
        begin(with_gate(**{entry: value}), tmp_path)
