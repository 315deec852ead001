"""Training learns, resumes where it stopped, and ends in a model that the world loads."""

from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from lingbot_ros.errors import InputError, ModelError
from lingbot_ros.model.config import StreamConfig
from lingbot_ros.training.config import Rollout, Schedule, TrainConfig
from lingbot_ros.training.export import export_model
from lingbot_ros.training.optimizer import learning_rate
from lingbot_ros.training.pool import Clip
from lingbot_ros.training.train import Limits, Trainer
from lingbot_ros.world import World
from test.support.tiny_model import MOTION, write_tiny_model

CONFIG = TrainConfig(
    name="tiny",
    transformer=MOTION,
    stream=StreamConfig(chunk=1, window=4),
    schedule=Schedule(batch_clips=4, learning_rate=3e-3, warmup_iterations=5, ema=0.9),
    rollout=Rollout(clip_frames=4, pool_clips=8, depth=2, teacher_iterations=10, ramp_iterations=20),
)
BACKGROUND = np.full((32, 32, 3), 255, np.uint8)


class GoverningDot:
    """A dot that jumps to wherever the action says: unpredictable without the action, certain with it."""

    def sample(self, rng: np.random.Generator) -> Clip:
        actions = rng.uniform(-0.7, 0.7, (5, 2)).astype(np.float32)
        frames = np.repeat(BACKGROUND[None], 6, axis=0)
        for frame, (x, y) in zip(frames[1:], (actions + 1) * 16, strict=True):
            frame[int(y) - 3 : int(y) + 3, int(x) - 3 : int(x) + 3] = 0
        return Clip(frames, actions)


def trainer(run: Path) -> Trainer:
    return Trainer(CONFIG, GoverningDot(), BACKGROUND, run)


def losses(trainer: Trainer, count: int) -> list[float]:
    return [float(trainer._train_once(iterations=400)[0]) for _ in range(count)]


def test_it_learns_to_listen(tmp_path: Path) -> None:
    history = losses(trainer(tmp_path), 160)
    assert np.mean(history[-10:]) < 0.6 * np.mean(history[:10])


def test_a_stopped_run_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    first = trainer(tmp_path)
    first.train(Limits(iterations=6, save_every=2))
    second = trainer(tmp_path)
    assert second.iteration == 6
    for mine, theirs in zip(first.average.parameters(), second.average.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    second.train(Limits(iterations=8))
    assert trainer(tmp_path).iteration == 8
    assert list((tmp_path / "log").glob("events*"))


def test_a_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    trainer(tmp_path).train(Limits(iterations=1))
    file = tmp_path / "checkpoint.pt"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(ModelError, match="checkpoint"):
        trainer(tmp_path)


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
    with pytest.raises(InputError, match="models/pusht-small/train.yaml"):
        TrainConfig.load(tmp_path / "absent.yaml")
