"""A student learns from a teacher what the teacher imagines, not what is true."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from lingbot_ros.errors import InputError
from lingbot_ros.model.config import StreamConfig, TransformerConfig
from lingbot_ros.model.noise import chunk_noise
from lingbot_ros.model.sampler import SamplerConfig
from lingbot_ros.training.config import DistillConfig, TrainConfig
from lingbot_ros.training.pool import Batch
from lingbot_ros.training.teacher import Teacher
from lingbot_ros.training.train import ClipForward, Limits, Trainer
from lingbot_ros.world import World
from test.support.tiny_model import FOUR_STEP_COMMIT, MOTION, ONE_STEP, VELOCITY, write_tiny_model
from test.support.tiny_training import CONFIG, CONTROL, dot_data

SHARE = replace(CONFIG, distill=DistillConfig(teacher_share=0.8))


def load_teacher(folder: Path, architecture: TransformerConfig = MOTION, sampler: SamplerConfig = ONE_STEP) -> World:
    return World.load(write_tiny_model(folder, "teacher", architecture, sampler, seed=5), device="cpu", threads=1)


def begin(config: TrainConfig, world: World, run: Path) -> tuple[Trainer, Teacher]:
    data, teacher = dot_data(config), Teacher(world, config, dot_data(config))
    return Trainer(config, data.source, data.background, run, targets=teacher), teacher


def distance(trainer: Trainer, teacher: Teacher, batch: Batch) -> float:
    student = ClipForward(trainer.config, (32, 32), torch.device("cpu"), "f32")
    with torch.no_grad():
        return float((student(trainer.average, batch)[0] - teacher.imagine(batch)).abs().mean())


def test_a_student_comes_closer_to_its_teacher_and_goes_on(tmp_path: Path) -> None:
    world = load_teacher(tmp_path)
    # As it is it hardly changes the frame before, and neither does a student that has learned nothing.
    world.model.networks[0].model.pixel_head.up_full.weight.mul_(20)
    trainer, teacher = begin(SHARE, world, tmp_path / "run")
    batch = trainer.pool.draw(4, 0)
    before = distance(trainer, teacher, batch)
    trainer.train(Limits(iterations=40))
    assert distance(trainer, teacher, batch) < 0.8 * before
    again, _ = begin(SHARE, world, tmp_path / "run")
    assert again.iteration == 40
    again.train(Limits(iterations=42))
    assert again.iteration == 42


def test_the_loss_is_shared_between_teacher_and_truth(tmp_path: Path) -> None:
    world = load_teacher(tmp_path)
    trainer, teacher = begin(SHARE, world, tmp_path / "run")
    batch = trainer.pool.draw(2, 0)
    (share, taught), (rest, true) = teacher(batch)
    assert (share, rest) == pytest.approx((0.8, 0.2)) and true is batch
    assert torch.equal(taught.condition, batch.condition) and not torch.equal(taught.target, batch.target)
    whole = Teacher(world, replace(CONFIG, distill=DistillConfig(1.0)), dot_data())
    assert [share for share, _ in whole(batch)] == [1.0]


def test_a_one_step_teacher_says_what_one_masked_pass_of_it_says(tmp_path: Path) -> None:
    """Clips longer than the window, so that its cache has to forget."""
    config = replace(CONFIG, rollout=replace(CONFIG.rollout, clip_frames=11))
    trainer, teacher = begin(config, load_teacher(tmp_path), tmp_path / "run")
    batch = trainer.pool.draw(3, 0)
    with torch.no_grad():
        whole, _ = ClipForward(config, (32, 32), torch.device("cpu"), "f32")(teacher._model, batch)
    torch.testing.assert_close(teacher.imagine(batch), whole.clamp(-1, 1), atol=1e-5, rtol=0)


def test_a_teacher_of_many_steps_imagines_as_its_sessions_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = load_teacher(tmp_path, VELOCITY, FOUR_STEP_COMMIT)
    teacher = Teacher(world, replace(CONFIG, transformer=replace(MOTION, condition_channels=6)), dot_data())
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    actions = np.random.default_rng(1).uniform(0, 512, (7, 2)).astype(np.float32)
    session = world.start(image, seed=9)
    conditions, frames = [], []
    for action in actions:
        conditions.append(session._condition.chunk().clone())
        frames.append(session.step(action[None]))
    scaled = torch.from_numpy(actions / 256 - 1)[None, :, None]
    batch = Batch(
        target=torch.zeros(1, 3, 7, 32, 32),
        condition=torch.cat(conditions, dim=2).repeat(1, 2, 1, 1, 1),
        actions=scaled.repeat(1, 1, 2, 1),
        motions=None,
        slots=np.zeros(1, np.int64),
    )
    noises = iter([chunk_noise(9, chunk, draw, (1, 3, 1, 32, 32)) for chunk in range(7) for draw in range(4)])
    monkeypatch.setattr(torch, "randn", lambda *size, **options: next(noises))
    imagined = teacher.imagine(batch)
    decoded = [
        world.model.autoencoder.decode(imagined[:, :, k : k + 1], world.model.autoencoder.start())[0] for k in range(7)
    ]
    apart = np.abs(np.concatenate(decoded).astype(int) - np.concatenate(frames).astype(int))
    assert apart.max() <= 1


def narrow(**changes: object) -> TrainConfig:
    return replace(CONFIG, **changes)  # type: ignore[arg-type]


def test_what_does_not_fit_is_named(tmp_path: Path) -> None:
    world, data = load_teacher(tmp_path), dot_data()
    other_control = replace(CONTROL, dim=3, names=("x", "y", "z"), low=(0.0,) * 3, high=(1.0,) * 3)
    large = np.full((64, 64, 3), 255, np.uint8)
    many = narrow(transformer=replace(MOTION, latent_channels=4, condition_channels=8))
    cases = (
        ("control.dim: got 2", CONFIG, replace(data, control=other_control)),
        ("control.high", CONFIG, replace(data, control=replace(CONTROL, high=(1.0, 1.0)))),
        (r"image size: got \(32, 32\)", CONFIG, replace(data, background=large)),
        ("fps: got 10", CONFIG, replace(data, fps=20.0)),
        ("latent_channels: got 3", many, data),
        ("teacher_share", narrow(distill=DistillConfig(0.0)), data),
    )
    for message, config, other in cases:
        with pytest.raises(InputError, match=message):
            Teacher(world, config, other)
    in_twos = write_tiny_model(tmp_path, "twos", stream=StreamConfig(chunk=2, window=4))
    odd = narrow(rollout=replace(CONFIG.rollout, clip_frames=5))
    with pytest.raises(InputError, match="clip_frames"):
        Teacher(World.load(in_twos), odd, data)
