"""The data set in a folder, read by the task that it names."""

import json
from dataclasses import dataclass
from pathlib import Path

from lingbot_ros.datasets.drives.layout import DriveSet, is_drive_set
from lingbot_ros.datasets.layout import is_clip_set
from lingbot_ros.datasets.parts import PLAN_FILE
from lingbot_ros.datasets.reader import ClipSet
from lingbot_ros.errors import InputError
from lingbot_ros.model.rigid_layers.config import RigidLayersConfig
from lingbot_ros.model.rigid_layers.constants import Constants
from lingbot_ros.tasks.registry import find_task
from lingbot_ros.training.config import TrainConfig
from lingbot_ros.training.scene.drive_views import DriveViews
from lingbot_ros.training.scene.views import ViewSource
from lingbot_ros.training.training_data import TrainingData, clip_training_data


def open_training_data(folder: Path, config: TrainConfig, validation: Path | None = None) -> TrainingData:
    """The data set in `folder` for training: a task's, or clips of anything.

    Raises InputError when it holds none, or none that `config` can be trained on.
    """
    if is_drive_set(folder):
        raise InputError("--data", folder, "drives of a camera train a scene: give --config config/training/scene.yaml")
    name = task_of_data(folder)
    if name is not None:
        return find_task(name).training_data(folder, config, validation)
    return clip_training_data(open_clips(folder, validation), config)


def open_clips(folder: Path, validation: Path | None = None) -> ClipSet:
    """The clips in `folder`, which hold back episodes of their own. Raises InputError."""
    if validation is not None:
        raise InputError("--validation", validation, f"{folder} holds back episodes of its own; leave it out")
    return ClipSet(folder)


def fit_layer_constants(folder: Path, config: RigidLayersConfig) -> Constants:
    """The constants of a world of rigid layers, by the task that the data set in `folder` names. Raises InputError."""
    name = task_of_data(folder)
    if name is None:
        raise InputError("--data", folder, "it names no task that knows more of it than its images and actions")
    return find_task(name).layer_constants(folder, config)


@dataclass(frozen=True)
class SceneData:
    """What a scene model is trained and measured on. drives: the set, where it is of own recordings."""

    training: ViewSource
    held_out: ViewSource | None
    drives: DriveSet | None = None


def open_scene_data(folder: Path, validation: Path | None = None) -> SceneData:
    """The data set in `folder`: a task's, or drives of anything, which hold drives out. Raises InputError."""
    if not is_drive_set(folder):
        return SceneData(open_scene_views(folder), None if validation is None else open_scene_views(validation))
    if validation is not None:
        raise InputError("--validation", validation, f"{folder} holds back drives of its own; leave it out")
    drives = DriveSet(folder)
    return SceneData(DriveViews(drives, drives.plan.training), DriveViews(drives, drives.plan.validation), drives)


def open_scene_views(folder: Path) -> ViewSource:
    """All views of the data set in `folder`, by the task that it names, or of drives of anything. Raises InputError."""
    if is_drive_set(folder):
        drives = DriveSet(folder)
        return DriveViews(drives, range(len(drives)))
    name = task_of_data(folder)
    if name is None:
        fix = "a scene model needs images with the camera's poses: `lingbot dataset from-bag --poses`"
        raise InputError("--data", folder, fix)
    return find_task(name).scene_views(folder)


def task_of_data(folder: Path) -> str | None:
    """The task that a data set's plan names: at its top, or, for clips, as `task` of their source. None: no task.

    Raises InputError for a folder without a readable plan.
    """
    try:
        plan = json.loads((folder / PLAN_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            "data set", folder, f"give a folder made by `lingbot dataset` ({PLAN_FILE}: {error})"
        ) from error
    named = plan.get("source", {}).get("task") if is_clip_set(folder) else plan.get("task")
    return None if named is None else str(named)
