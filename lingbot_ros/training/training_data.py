"""What training needs to know of a data set, and how a set of clips tells it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.checkpoints.cards import ControlSpec
from lingbot_ros.datasets.reader import ClipSet
from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.clip_windows import choose_windows, cut_windows
from lingbot_ros.evaluate.metric import PSNR, Metric
from lingbot_ros.model.config import ActionControlConfig
from lingbot_ros.training.clip_model import begin_folder, check_folder
from lingbot_ros.training.clip_source import ClipSetSource, check_config, median_image
from lingbot_ros.training.config import TrainConfig
from lingbot_ros.training.layer_loss import PartReader
from lingbot_ros.training.pool import ClipSource
from lingbot_ros.training.validation import Validation


@dataclass(frozen=True)
class TrainingData:
    """Clips, their median image uint8 [H, W, 3], what drives them and how fast.

    new_validation: makes what the model is validated on, which may take seconds. parts: reads off an image what rigid
    layers are to be made of, where somebody can. check_export: raises InputError for a folder whose card does not fit
    the data. begin_export: writes a card where the data can tell what belongs on one and there is none.
    """

    source: ClipSource
    background: NDArray[np.uint8]
    control: ControlSpec
    fps: float
    new_validation: Callable[[], Validation]
    parts: PartReader | None = None
    check_export: Callable[[Path], None] = lambda _: None
    begin_export: Callable[[Path], None] = lambda _: None


def clip_training_data(
    clips: ClipSet, config: TrainConfig, metrics: Sequence[Metric] = (), task: str | None = None
) -> TrainingData:
    """A set of clips, validated on the episodes that it holds back.

    `metrics` are taken beside PSNR; the exported card names the `task`. Raises InputError for a set that `config`
    cannot be trained on.
    """
    check_config(clips, config)
    plan = clips.plan
    return TrainingData(
        source=ClipSetSource(clips, config.rollout.clip_frames, config.moving_fraction),
        background=median_image(clips),
        control=ControlSpec("action", plan.dim, tuple(plan.action_names), clips.low, clips.high, plan.action_unit),
        fps=plan.fps,
        new_validation=lambda: _clip_validation(clips, config, metrics),
        check_export=lambda target: check_folder(target, clips),
        begin_export=lambda target: begin_folder(target, clips, config.transformer, config.stream, task),
    )


def _clip_validation(clips: ClipSet, config: TrainConfig, metrics: Sequence[Metric]) -> Validation:
    """Raises InputError when the held-back episodes are too short for `config.validation`."""
    length = config.validation.context + config.validation.horizon
    chosen = choose_windows(clips, config.validation.windows, 0, length)
    windows = cut_windows(clips, chosen, config.validation.context, length, clips.low, clips.high)
    return Validation(windows, (PSNR, *metrics), config.gate.frame if config.gate else 1)


def require_fitting(config: TrainConfig, data: TrainingData) -> None:
    """Raise InputError unless a model of this configuration can be trained on the data."""
    transformer, (height, width) = config.transformer, data.background.shape[:2]
    control = transformer.control
    if not isinstance(control, ActionControlConfig) or control.dim != data.control.dim:
        got = control.dim if isinstance(control, ActionControlConfig) else None
        raise InputError("transformer.control.dim", got, f"the data's actions have {data.control.dim} numbers")
    if height % transformer.patch_size[1] or width % transformer.patch_size[2]:
        raise InputError("transformer.patch_size", transformer.patch_size, f"the data's images are {height}x{width}")
