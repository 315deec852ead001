"""What a data folder holds, whoever made it, as training wants it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.training import pusht_clips
from lingbot_ros.training.config import TrainConfig
from lingbot_ros.training.own_data import clips as own_clips
from lingbot_ros.training.own_data.layout import is_clip_set
from lingbot_ros.training.own_data.model_folder import begin_folder, check_folder
from lingbot_ros.training.own_data.reader import ClipSet
from lingbot_ros.training.pool import ClipSource
from lingbot_ros.training.pusht_data.reader import PushTDataset


@dataclass(frozen=True)
class TrainingData:
    """source of clips; background uint8 [H, W, 3], the median image of the data.

    check_export: raises InputError for a folder whose card does not fit the data. begin_export: writes a card where the
    data can tell what belongs on one and there is none.
    """

    source: ClipSource
    background: NDArray[np.uint8]
    check_export: Callable[[Path], None]
    begin_export: Callable[[Path], None]


def open_training_data(folder: Path, config: TrainConfig) -> TrainingData:
    """The clips in `folder`. Raises InputError when it holds none, or none that `config` can be trained on."""
    frames, moving = config.rollout.clip_frames, config.moving_fraction
    if is_clip_set(folder):
        clips = ClipSet(folder)
        own_clips.check_config(clips, config)
        return TrainingData(
            own_clips.OwnClips(clips, frames, moving),
            own_clips.median_image(clips),
            lambda target: check_folder(target, clips),
            lambda target: begin_folder(target, clips, config),
        )
    dataset = PushTDataset(folder)
    source = pusht_clips.PushTClips(dataset, frames, moving)
    return TrainingData(source, pusht_clips.median_image(dataset), lambda _: None, lambda _: None)
