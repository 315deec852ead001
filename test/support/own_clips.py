"""A small set of clips: four episodes of a dot on grey that goes where it is sent, each marked in a corner."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.datasets.layout import ClipPlan
from lingbot_ros.datasets.plan import PlanOptions, make_plan
from lingbot_ros.datasets.writer import ClipSetWriter
from lingbot_ros.model.config import StreamConfig
from lingbot_ros.training.config import Rollout, Schedule, TrainConfig
from test.support.tiny_model import MOTION

EPISODES, STEPS, SIZE = 4, 12, 16

TINY_CONFIG = TrainConfig(
    name="tiny",
    transformer=MOTION,
    stream=StreamConfig(chunk=1, window=4),
    schedule=Schedule(batch_clips=4, learning_rate=3e-3, warmup_iterations=5, ema=0.9),
    rollout=Rollout(clip_frames=4, pool_clips=8, depth=2, teacher_iterations=10, ramp_iterations=20),
)


def _episode(number: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    rng = np.random.default_rng(number)
    actions = rng.uniform(-1, 1, (STEPS, 2)).astype(np.float32)
    actions[STEPS // 2 :] = actions[STEPS // 2]  # the second half holds still
    frames = np.full((STEPS + 1, SIZE, SIZE, 3), 200, np.uint8)
    frames[:, :2, :2] = 10 * number
    for frame, (x, y) in zip(frames[1:], (actions + 1) * (SIZE / 2 - 3) + 3, strict=True):
        frame[int(y) - 1 : int(y) + 2, int(x) - 1 : int(x) + 2] = 0
    return frames, actions


SMALL = [_episode(number) for number in range(EPISODES)]


def small_plan(low: tuple[float, ...] | None = None, high: tuple[float, ...] | None = None) -> ClipPlan:
    options = PlanOptions(size=(SIZE, SIZE), shortest=8, validation=0.25, low=low, high=high)
    return make_plan({"type": "test"}, 10.0, ("x", "y"), [STEPS] * EPISODES, options)


def write_small_set(root: Path, low: tuple[float, ...] | None = None, high: tuple[float, ...] | None = None) -> Path:
    """The set in `root`, complete."""
    writer = ClipSetWriter(root, small_plan(low, high))
    for episode in writer.missing():
        frames, actions = SMALL[episode]
        writer.write(episode, iter(frames), actions)
    writer.finish()
    return root
