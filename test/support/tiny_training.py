"""A training run that learns within seconds: a dot that goes where the action says."""

from dataclasses import replace

import numpy as np

from lingbot_ros.checkpoints.cards import ControlSpec
from lingbot_ros.evaluate.metric import Metric, psnr_db
from lingbot_ros.evaluate.windows import Windows
from lingbot_ros.model.config import StreamConfig
from lingbot_ros.training.config import GateConfig, Rollout, Schedule, TrainConfig, ValidationConfig
from lingbot_ros.training.pool import Clip
from lingbot_ros.training.training_data import TrainingData
from lingbot_ros.training.validation import Validation
from test.support.tiny_model import MOTION

CONFIG = TrainConfig(
    name="tiny",
    transformer=MOTION,
    stream=StreamConfig(chunk=1, window=4),
    schedule=Schedule(batch_clips=4, learning_rate=3e-3, warmup_iterations=5, ema=0.9),
    rollout=Rollout(clip_frames=4, pool_clips=8, depth=2, teacher_iterations=10, ramp_iterations=20),
    validation=ValidationConfig(windows=3, context=2, horizon=4),
)
BACKGROUND = np.full((32, 32, 3), 255, np.uint8)
CONTROL = ControlSpec("action", 2, ("x", "y"), (0.0, 0.0), (512.0, 512.0))
PSNR = Metric("psnr_db", psnr_db, "the last real frame repeated", "it does not learn what moves")


class GoverningDot:
    """A dot that jumps to wherever the action says: unpredictable without the action, certain with it."""

    def __init__(self, frames: int = 6) -> None:
        self._frames = frames

    def sample(self, rng: np.random.Generator) -> Clip:
        actions = rng.uniform(-0.7, 0.7, (self._frames - 1, 2)).astype(np.float32)
        frames = np.repeat(BACKGROUND[None], self._frames, axis=0)
        for frame, (x, y) in zip(frames[1:], (actions + 1) * 16, strict=True):
            frame[int(y) - 3 : int(y) + 3, int(x) - 3 : int(x) + 3] = 0
        return Clip(frames, actions)


def dot_data(config: TrainConfig = CONFIG) -> TrainingData:
    """The dot as a data set, validated on windows of its own."""

    def new_validation() -> Validation:
        source = GoverningDot(config.validation.context + config.validation.horizon)
        clips = [source.sample(np.random.default_rng(1000 + n)) for n in range(config.validation.windows)]
        actions = np.stack([(clip.actions + 1) * 256 for clip in clips])
        windows = Windows(np.stack([clip.frames for clip in clips]), actions, config.validation.context)
        return Validation(windows, (PSNR,), config.gate.frame if config.gate else 1)

    return TrainingData(GoverningDot(config.rollout.clip_frames + 2), BACKGROUND, CONTROL, 10.0, new_validation)


def with_gate(**gate: object) -> TrainConfig:
    """CONFIG with a gate of these entries."""
    return replace(CONFIG, gate=GateConfig(**{"figure": "psnr_db", "after_minutes": 0.0, "frame": 2, **gate}))
