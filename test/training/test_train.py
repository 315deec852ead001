"""Training learns, resumes where it stopped, and ends in a model that the world loads."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from lingbot_ros.checkpoints.cards import ControlSpec
from lingbot_ros.checkpoints.weights import load_transformer, parameter_shapes
from lingbot_ros.errors import EngineError, InputError, ModelError
from lingbot_ros.training.config import Schedule, TrainConfig
from lingbot_ros.training.execution import Execution
from lingbot_ros.training.export import export_model
from lingbot_ros.training.optimizer import learning_rate
from lingbot_ros.training.pool import Clip, RolloutPool
from lingbot_ros.training.train import ClipForward, Limits, Trainer
from lingbot_ros.world import World
from test.support.tiny_model import MOTION, write_tiny_model
from test.support.tiny_training import BACKGROUND, CONFIG, CONTROL, GoverningDot


def trainer(run: Path) -> Trainer:
    return Trainer(CONFIG, GoverningDot(), BACKGROUND, run)


def losses(trainer: Trainer, count: int) -> list[float]:
    return [float(trainer._train_once(iterations=400)[0]) for _ in range(count)]


def test_it_learns_to_listen(tmp_path: Path) -> None:
    history = losses(trainer(tmp_path), 160)
    assert np.mean(history[-10:]) < 0.6 * np.mean(history[:10])


class LabelledDot:
    """A dot that the action moves by up to three pixels, and how it moved."""

    def sample(self, rng: np.random.Generator) -> Clip:
        places = rng.integers(8, 24, 2) + np.cumsum(rng.integers(-3, 4, (6, 2)), axis=0)
        places = np.clip(places, 4, 28)
        frames = np.repeat(BACKGROUND[None], 6, axis=0)
        for frame, (x, y) in zip(frames, places, strict=True):
            frame[y - 3 : y + 3, x - 3 : x + 3] = 0
        moves = np.diff(places, axis=0).astype(np.float32)
        return Clip(frames, moves / 4, np.concatenate([moves[1:], np.zeros((4, 1), np.float32)], axis=1)[:, None])


def dot_parts(frames: torch.Tensor) -> torch.Tensor:
    dot = frames[:, 0] < 0
    return torch.stack((~dot, dot), dim=1).float()


def test_rigid_layers_learn_what_is_a_thing_and_how_it_moves(tmp_path: Path) -> None:
    transformer = replace(MOTION, prediction="layers", moving_layers=1)
    schedule = replace(CONFIG.schedule, learning_rate=6e-3, gradient_clip=100.0)
    config = replace(CONFIG, transformer=transformer, schedule=schedule, motion_weight=1.0, parts_weight=1.0)
    model = Trainer(config, LabelledDot(), BACKGROUND, tmp_path, parts=dot_parts)
    model.train(Limits(iterations=150))
    batch = RolloutPool(LabelledDot(), 8, seed=9, still_start=0.0).draw(8, 0)
    _, layered = ClipForward(config, (32, 32), torch.device("cpu"))(model.average, batch)
    assert layered is not None and batch.motions is not None
    dot = dot_parts(batch.condition[:, :3].transpose(1, 2).flatten(0, 1)).argmax(dim=1)
    assert (layered.owners.argmax(dim=1) == dot).float().mean() > 0.99
    missed = (layered.motions - batch.motions.flatten(0, 1)).norm(dim=-1)
    assert missed.median() < 0.75 * batch.motions.norm(dim=-1).median()


def test_a_stopped_run_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    first = trainer(tmp_path)
    first.train(Limits(iterations=6, save_every=2))
    second = trainer(tmp_path)
    assert second.iteration == 6
    for mine, theirs in zip(first.average.parameters(), second.average.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    second.train(Limits(iterations=8))
    assert trainer(tmp_path).iteration == 8


def test_a_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    trainer(tmp_path).train(Limits(iterations=1))
    file = tmp_path / "checkpoint.pt"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(ModelError, match="checkpoint"):
        trainer(tmp_path)


def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_the_last_finite_checkpoint(tmp_path: Path) -> None:
    first = trainer(tmp_path)
    first.train(Limits(iterations=2))
    before = (tmp_path / "checkpoint.pt").read_bytes()
    wild = Trainer(
        replace(CONFIG, schedule=replace(CONFIG.schedule, learning_rate=1e30)), GoverningDot(), BACKGROUND, tmp_path
    )
    with pytest.raises(ModelError, match=r"the run stopped and .*checkpoint\.pt keeps an earlier iteration"):
        wild.train(Limits(iterations=20))
    assert (tmp_path / "checkpoint.pt").read_bytes() == before
    assert trainer(tmp_path).iteration == 2


def test_weights_that_are_not_finite_are_neither_saved_exported_nor_loaded(tmp_path: Path) -> None:
    folder = write_tiny_model(tmp_path)
    before = (folder / "model.safetensors").read_bytes()
    trained = trainer(tmp_path / "run")
    name, weight = next(iter(trained.average.named_parameters()))
    for bad in (float("nan"), float("inf"), 1e6):  # the last is finite here, but not in half precision
        with torch.no_grad():
            weight[(0,) * weight.dim()] = bad
        with pytest.raises(ModelError, match=f"model.safetensors.partial was not written: {name} hold NaN or infinity"):
            export_model(trained.average, CONFIG, folder)
        assert (folder / "model.safetensors").read_bytes() == before
        if bad != 1e6:
            with pytest.raises(ModelError, match=r"checkpoint\.pt was not overwritten"):
                trained._save()
    assert not (tmp_path / "run" / "checkpoint.pt").exists()
    stored = load_file(folder / "model.safetensors")
    stored[name].view(-1)[0] = float("nan")
    save_file(stored, folder / "model.safetensors")
    with pytest.raises(ModelError, match=r"hold NaN or infinity; get the file again"):
        load_transformer(CONFIG.transformer, [folder / "model.safetensors"], torch.float32, "cpu")


def test_a_run_is_not_resumed_with_other_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def resumed(control: ControlSpec = CONTROL, background: np.ndarray = BACKGROUND, fps: float = 10.0) -> Trainer:
        return Trainer(CONFIG, GoverningDot(), background, tmp_path, control=control, fps=fps)

    resumed().train(Limits(iterations=1))
    assert resumed().iteration == 1
    for other, line in (
        ({"control": replace(CONTROL, names=("y", "x"))}, r"data.action y, x \(begun with x, y\)"),
        ({"control": replace(CONTROL, high=(5.0, 9.0))}, r"data.high 5.0, 9.0 \(begun with 512.0, 512.0\)"),
        ({"fps": 5.0}, r"data.fps 5.0 \(begun with 10.0\)"),
        ({"background": BACKGROUND[:, :16]}, r"data.width 16 \(begun with 32\)"),
    ):
        with pytest.raises(ModelError, match=rf"other data or another network: .*{line}.* What may change: schedule"):
            resumed(**other)
    stream = replace(CONFIG, stream=replace(CONFIG.stream, window=3))
    with pytest.raises(ModelError, match=r"stream.window 3 \(begun with 4\)"):
        Trainer(stream, GoverningDot(), BACKGROUND, tmp_path, control=CONTROL, fps=10.0)
    capsys.readouterr()
    slower = replace(CONFIG, schedule=replace(CONFIG.schedule, learning_rate=1e-4))
    Trainer(slower, GoverningDot(), BACKGROUND - 1, tmp_path, control=CONTROL, fps=10.0)
    said = capsys.readouterr().out
    assert "the run goes on with schedule.learning_rate 0.0001 (begun with 0.003)" in said
    assert "the run goes on with clips median image " in said


def test_same_seed_same_training(tmp_path: Path) -> None:
    assert losses(trainer(tmp_path / "a"), 3) == losses(trainer(tmp_path / "b"), 3)


def test_the_export_is_a_model_that_loads(tmp_path: Path) -> None:
    folder = write_tiny_model(tmp_path)
    before = (folder / "model.safetensors").read_bytes()
    trained = trainer(tmp_path / "run")
    trained.train(Limits(iterations=2))
    export_model(trained.average, CONFIG, folder)
    assert (folder / "model.safetensors").read_bytes() != before
    world = World.load(folder)
    assert world.info.parameters == sum(p.numel() for p in trained.average.parameters())
    assert world.start(BACKGROUND).step([[100.0, 100.0]]).shape == (1, 32, 32, 3)
    with pytest.raises(InputError, match="card.yaml"):
        export_model(trained.average, CONFIG, tmp_path)


def test_the_learning_rate_warms_up_holds_and_decays() -> None:
    schedule = Schedule(learning_rate=1.0, warmup_iterations=10, decay_fraction=0.2)
    assert [learning_rate(schedule, i, 100) for i in (0, 9, 50, 80, 90)] == pytest.approx([0.1, 1.0, 1.0, 1.0, 0.5])


def test_the_shipped_training_file_is_read_and_mistakes_are_named(tmp_path: Path) -> None:
    shipped = Path(__file__).parents[2] / "models" / "pusht-small" / "train.yaml"
    assert TrainConfig.load(shipped).name == "pusht-small"
    wrong = yaml.safe_load(shipped.read_text())
    wrong["schedule"]["learning_rat"] = 1
    (tmp_path / "wrong.yaml").write_text(yaml.safe_dump(wrong))
    with pytest.raises(InputError, match="learning_rat"):
        TrainConfig.load(tmp_path / "wrong.yaml")
    flow = yaml.safe_load(shipped.read_text())
    flow["transformer"] |= {"prediction": "velocity", "moving_layers": 0}
    (tmp_path / "flow.yaml").write_text(yaml.safe_dump(flow))
    with pytest.raises(InputError, match=r"transformer.prediction.*velocity.*use residual, motion or layers"):
        TrainConfig.load(tmp_path / "flow.yaml")
    with pytest.raises(InputError, match="config/training/small.yaml"):
        TrainConfig.load(tmp_path / "absent.yaml")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("schedule", "learning_rate", "fast"), r"schedule\.learning_rate: got 'fast'; give a number"),
        (("schedule", "learning_rate", float("nan")), r"schedule\.learning_rate: got nan; give a finite number"),
        (("schedule", "batch_clips", 2.5), r"schedule\.batch_clips: got 2\.5; give a whole number"),
        (("schedule", "batch_clips", True), r"schedule\.batch_clips: got True; give a whole number"),
        (("transformer", "patch_size", [1, 2]), r"transformer\.patch_size: got \[1, 2\]; give 3 values"),
        (("transformer", "prediction", 3), r"transformer\.prediction: got 3; use one of "),
        (("transformer", "control", [1]), r"transformer\.control: got a list; give keys and values"),
        (("stream", None, [1]), r"stream: got a list; give keys and values"),
        (("name", None, 7), r"name: got 7; give a text"),
    ],
)
def test_every_field_of_a_configuration_has_a_type(
    tmp_path: Path, change: tuple[str, str | None, object], sentence: str
) -> None:
    data = yaml.safe_load((Path(__file__).parents[2] / "models" / "pusht-small" / "train.yaml").read_text())
    part, key, value = change
    if key is None:
        data[part] = value
    else:
        data.setdefault(part, {})[key] = value
    (tmp_path / "wrong.yaml").write_text(yaml.safe_dump(data))
    with pytest.raises(InputError, match=sentence):
        TrainConfig.load(tmp_path / "wrong.yaml")


def test_numbers_may_be_written_as_people_write_them(tmp_path: Path) -> None:
    """YAML 1.1 takes 2e-3 for a word."""
    text = (Path(__file__).parents[2] / "config" / "training" / "small.yaml").read_text()
    file = tmp_path / "c.yaml"
    file.write_text(text.replace("learning_rate: 0.002", "learning_rate: 2e-3"))
    assert TrainConfig.load(file).schedule.learning_rate == 0.002
    for wrong in ("", "- a\n", "word", "a: [\n"):
        file.write_text(wrong)
        with pytest.raises(InputError, match=r"c\.yaml"):
            TrainConfig.load(file)
    file.write_bytes(b"name: \xff\n")
    with pytest.raises(InputError, match="UTF-8"):
        TrainConfig.load(file)


def test_a_checkpoint_of_another_architecture_is_refused(tmp_path: Path) -> None:
    trainer(tmp_path).train(Limits(iterations=1))
    other = replace(CONFIG, name="wider", transformer=replace(CONFIG.transformer, ffn_dim=128))
    with pytest.raises(ModelError, match=r"transformer\.ffn_dim 128 \(begun with 96\)"):
        Trainer(other, GoverningDot(), BACKGROUND, tmp_path)


def test_what_is_watched_is_logged(tmp_path: Path) -> None:
    trainer(tmp_path).train(Limits(iterations=3))
    log = EventAccumulator(str(tmp_path / "log")).Reload()
    for name in ("loss", "gradient_norm", "learning_rate", "rollout_depth", "frames_per_second"):
        assert [event.step for event in log.Scalars(name)] == [1, 2, 3]
    assert log.Scalars("learning_rate")[0].value == pytest.approx(3e-3 / 5)


def test_training_time_counts_over_sittings(tmp_path: Path) -> None:
    first = trainer(tmp_path)
    first.train(Limits(iterations=2))
    assert trainer(tmp_path).trained_seconds == first.trained_seconds > 0


@pytest.mark.parametrize("precision", ["bf16", "f32"])
def test_the_precision_is_that_of_the_arithmetic(tmp_path: Path, precision: Literal["bf16", "f32"]) -> None:
    trained = Trainer(CONFIG, GoverningDot(), BACKGROUND, tmp_path, Execution(precision=precision))
    types = []
    trained.model.blocks[0].ffn[0].register_forward_hook(lambda module, inputs, output: types.append(output.dtype))
    trained._train_once(iterations=10)
    assert types == [torch.bfloat16 if precision == "bf16" else torch.float32]


def test_more_threads_load_the_same_clips(tmp_path: Path) -> None:
    def history(loaders: int) -> list[float]:
        execution = Execution(loaders=loaders)
        one = Trainer(CONFIG, GoverningDot(), BACKGROUND, tmp_path / str(loaders), execution)
        result = losses(one, 8)
        one.pool.close()
        return result

    assert history(0) == history(1) == history(3)


def test_a_broken_source_is_heard_of(tmp_path: Path) -> None:
    class Broken:
        def sample(self, rng: np.random.Generator) -> Clip:
            raise InputError("data set", tmp_path, "make it anew")

    with pytest.raises(InputError, match="make it anew"):
        Trainer(CONFIG, Broken(), BACKGROUND, tmp_path, Execution(loaders=2))


def test_without_a_compiler_compiling_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(EngineError, match="--compile: no C"):
        Trainer(CONFIG, GoverningDot(), BACKGROUND, tmp_path, Execution(compiled=True))


@pytest.mark.slow
def test_compiled_training_is_the_same_training(tmp_path: Path) -> None:
    plain = Trainer(CONFIG, GoverningDot(), BACKGROUND, tmp_path / "a", Execution(precision="f32"))
    compiled = Trainer(CONFIG, GoverningDot(), BACKGROUND, tmp_path / "b", Execution(precision="f32", compiled=True))
    assert losses(compiled, 4) == pytest.approx(losses(plain, 4), rel=1e-3)
    assert list(compiled.model.state_dict()) == list(plain.model.state_dict())


def shipped(name: str) -> TrainConfig:
    return TrainConfig.load(Path(__file__).parents[2] / "models" / "pusht-small" / name)


def parameters(config: TrainConfig) -> int:
    return sum(np.prod(shape, dtype=int) for shape in parameter_shapes(config.transformer).values())


def test_the_shipped_configurations_are_of_the_size_that_they_say() -> None:
    assert 2.5e6 < parameters(shipped("train.yaml")) == parameters(shipped("continue.yaml")) <= 2.7e6
    assert 7.5e6 < parameters(shipped("train-gpu.yaml")) <= 8e6
    assert 1.0e6 < parameters(shipped("student.yaml")) < 1.2e6
    gate = shipped("train-gpu.yaml").gate
    assert gate is not None and (gate.figure, gate.frame, gate.bar, gate.after_minutes) == ("block_iou", 16, 0.7, 10)
