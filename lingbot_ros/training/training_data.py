"""What a data folder holds, whoever made it, as training wants it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.checkpoints.cards import ControlSpec
from lingbot_ros.datasets.layout import is_clip_set
from lingbot_ros.datasets.reader import ClipSet
from lingbot_ros.errors import InputError
from lingbot_ros.model.config import ActionControlConfig
from lingbot_ros.tasks.pusht.dataset.reader import PushTDataset
from lingbot_ros.tasks.pusht.training_clips import PushTClips, median_image, pusht_parts
from lingbot_ros.tasks.pusht.validation import PUSHT_MEASURES, simulated_windows, stored_windows
from lingbot_ros.training import clip_source as own_clips
from lingbot_ros.training.clip_model import begin_folder, check_folder
from lingbot_ros.training.clip_validation import own_look
from lingbot_ros.training.config import TrainConfig
from lingbot_ros.training.layer_loss import PartReader
from lingbot_ros.training.pool import ClipSource
from lingbot_ros.training.validation import Look

PUSHT_CONTROL = ControlSpec("action", 2, ("x", "y"), (0.0, 0.0), (512.0, 512.0), "simulator units")
PUSHT_FPS = 10.0


@dataclass(frozen=True)
class TrainingData:
    """Clips, their median image uint8 [H, W, 3], what drives them and how fast; `new_look` may simulate for seconds.

    `parts` reads off a picture what rigid layers are to be made of, where somebody can.
    check_export: raises InputError for a folder whose card does not fit the data. begin_export: writes a card where the
    data can tell what belongs on one and there is none.
    """

    source: ClipSource
    background: NDArray[np.uint8]
    control: ControlSpec
    fps: float
    new_look: Callable[[], Look]
    parts: PartReader | None = None
    check_export: Callable[[Path], None] = lambda _: None
    begin_export: Callable[[Path], None] = lambda _: None


def open_training_data(folder: Path, config: TrainConfig, validation: Path | None = None) -> TrainingData:
    """The clips in `folder`; a model of Push-T is looked at on `validation`, or on episodes simulated for it.

    Raises InputError when it holds none, or none that `config` can be trained on.
    """
    return _own(folder, config, validation) if is_clip_set(folder) else _pusht(folder, config, validation)


def _own(folder: Path, config: TrainConfig, validation: Path | None) -> TrainingData:
    if validation is not None:
        raise InputError("--validation", validation, f"{folder} holds back episodes of its own; leave it out")
    clips = ClipSet(folder)
    own_clips.check_config(clips, config)
    plan = clips.plan
    return TrainingData(
        source=own_clips.OwnClips(clips, config.rollout.clip_frames, config.moving_fraction),
        background=own_clips.median_image(clips),
        control=ControlSpec("action", plan.dim, tuple(plan.action_names), clips.low, clips.high, plan.action_unit),
        fps=plan.fps,
        new_look=lambda: own_look(clips, config),
        check_export=lambda target: check_folder(target, clips),
        begin_export=lambda target: begin_folder(target, clips, config),
    )


def _pusht(folder: Path, config: TrainConfig, validation: Path | None) -> TrainingData:
    dataset = PushTDataset(folder)
    held_out = None if validation is None else PushTDataset(validation)

    def new_look() -> Look:
        windows = simulated_windows(config.look) if held_out is None else stored_windows(held_out, config.look)
        return Look(windows, PUSHT_MEASURES, config.gate.frame if config.gate else 1)

    return TrainingData(
        source=PushTClips(dataset, config.rollout.clip_frames, config.moving_fraction),
        background=median_image(dataset),
        control=PUSHT_CONTROL,
        fps=PUSHT_FPS,
        new_look=new_look,
        parts=pusht_parts,
    )


def require_fitting(config: TrainConfig, data: TrainingData) -> None:
    """Raise InputError unless a model of this configuration can be trained on the data."""
    transformer, (height, width) = config.transformer, data.background.shape[:2]
    control = transformer.control
    if not isinstance(control, ActionControlConfig) or control.dim != data.control.dim:
        got = control.dim if isinstance(control, ActionControlConfig) else None
        raise InputError("transformer.control.dim", got, f"the data's actions have {data.control.dim} numbers")
    if height % transformer.patch_size[1] or width % transformer.patch_size[2]:
        raise InputError("transformer.patch_size", transformer.patch_size, f"the data's pictures are {height}x{width}")
