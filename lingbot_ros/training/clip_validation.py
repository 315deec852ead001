"""What a model of own data is shown while it is trained: windows of the episodes that were held back."""

import numpy as np

from lingbot_ros.datasets.limits import clip
from lingbot_ros.datasets.reader import ClipSet
from lingbot_ros.evaluate.clip_evaluation import choose_windows
from lingbot_ros.tasks.pusht.metrics import psnr_db
from lingbot_ros.training.config import TrainConfig
from lingbot_ros.training.validation import Look, LookWindows, Measure

PSNR = Measure("psnr_db", psnr_db, "the last real picture repeated", "it predicts no better than if nothing ever moved")


def own_look(clips: ClipSet, config: TrainConfig) -> Look:
    """Windows of `config.look`, judged by their pictures. Raises InputError when the episodes are too short."""
    length = config.look.context + config.look.horizon
    windows = choose_windows(clips, config.look.windows, 0, length)
    frames = np.stack([clips.frames(episode)[start : start + length] for episode, start in windows])
    actions = [
        clip(clips.actions[episode][start : start + length - 1], clips.low, clips.high) for episode, start in windows
    ]
    shown = LookWindows(frames, np.stack(actions).astype(np.float32), config.look.context)
    return Look(shown, (PSNR,), config.gate.frame if config.gate else 1)
