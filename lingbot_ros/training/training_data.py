"""What a training run needs of its data, whatever kind they are."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.errors import InputError
from lingbot_ros.model.cards import ControlSpec
from lingbot_ros.model.config import ActionControlConfig
from lingbot_ros.training.config import TrainConfig
from lingbot_ros.training.layer_loss import PartReader
from lingbot_ros.training.look import Look
from lingbot_ros.training.pool import ClipSource
from lingbot_ros.training.pusht_clips import PushTClips, median_image, pusht_parts
from lingbot_ros.training.pusht_data.reader import PushTDataset
from lingbot_ros.training.pusht_look import PUSHT_MEASURES, simulated_windows, stored_windows

PUSHT_CONTROL = ControlSpec("action", 2, ("x", "y"), (0.0, 0.0), (512.0, 512.0), "simulator units")
PUSHT_FPS = 10.0


@dataclass(frozen=True)
class TrainingData:
    """Clips, their median image uint8 [H, W, 3], what drives them and how fast.

    `new_look` may simulate for seconds; `parts` tells what the rigid layers of a model are to be made of, if known.
    """

    source: ClipSource
    background: NDArray[np.uint8]
    control: ControlSpec
    fps: float
    new_look: Callable[[], Look]
    parts: PartReader | None = None


def open_training_data(folder: Path, config: TrainConfig, validation: Path | None = None) -> TrainingData:
    """The data set in `folder`; a model is looked at on `validation`, or on episodes simulated for it.

    Raises InputError for folders without a data set.
    """
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
