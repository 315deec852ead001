"""The folder of a scene model trained on own drives: its card, its first image, and a drive to show."""

from pathlib import Path
from typing import Any

import numpy as np

from lingbot_ros.checkpoints.architecture import to_plain
from lingbot_ros.datasets.drives.layout import DriveSet
from lingbot_ros.training.model_folder import (
    CARD_FILE,
    NOT_LOOKED_AT,
    ONE_STEP,
    SEED_FILE,
    begin_model_folder,
    check_model_folder,
)
from lingbot_ros.training.scene.config import SceneTrainConfig
from lingbot_ros.training.scene.measure import DepthQuality

DEMO_FILE = "demo_poses.npy"


def check_scene_folder(folder: Path, drives: DriveSet) -> None:
    """Raise InputError when `folder` holds the card of a model with other frames than the drives."""
    plan = drives.plan
    check_model_folder(folder, {"height": plan.height, "width": plan.width, "fps": plan.fps}, drives.root)


def begin_scene_folder(folder: Path, drives: DriveSet, config: SceneTrainConfig) -> None:
    """Write all but the weights into `folder`, unless a card is there already.

    The first validation drive gives the first image, the intrinsics, and the poses that `lingbot imagine` drives.
    """
    if (folder / CARD_FILE).is_file():
        return
    shown = drives.plan.validation[0]
    begin_model_folder(folder, _card(folder, drives, config), drives.frames(shown)[0])
    poses = drives.poses(shown)
    np.save(folder / DEMO_FILE, np.linalg.inv(poses[0]) @ poses)


def supervision(drives: DriveSet, quality: DepthQuality) -> dict[str, Any]:
    """What the network was told and how good it is on held-out drives, for the card."""
    with_depth = sum(drives.has_depth(drive) for drive in drives.plan.training)
    without = len(drives.plan.training) - with_depth
    told = []
    if without:
        told.append(
            f"{without} drives without depth: images warped into one another by the predicted depth and the known "
            "motion of the camera"
        )
    if with_depth:
        told.append(f"{with_depth} drives with measured depth")
    measured = {name: value for name, value in to_plain(quality).items() if value is not None}
    return {
        "supervision": "; ".join(told),
        "held_out": {name: round(value, 4) for name, value in measured.items()},
        "held_out_what": "medians over views of the held-out drives; relative error of depth on whole images (frames) "
        "and where nothing is known (holes); PSNR in dB of a view warped from its neighbours by the predicted depth "
        "(warped_db), and by turning them alone (turned_db)",
    }


def _card(folder: Path, drives: DriveSet, config: SceneTrainConfig) -> dict[str, Any]:
    plan = drives.plan
    origin = plan.source.get("bag") or plan.source.get("type") or "own drives"
    fx, fy, cx, cy = drives.intrinsics(plan.validation[0]).tolist()
    return {
        "name": folder.resolve().name,
        "summary": f"A camera moves through a place; what it has seen is kept, the rest painted; from {origin}.",
        "family": "lingbot-small",
        "licence": "unknown",
        "height": plan.height,
        "width": plan.width,
        "fps": plan.fps,
        "control": {
            "kind": "camera",
            "dim": 0,
            "description": "Camera-to-world poses in metres; the first pose is where the first image was taken, by a "
            "level camera.",
        },
        "autoencoder": "pixel",
        "sampler": to_plain(ONE_STEP),
        "architecture": to_plain(config.scene),
        "stream": {"chunk": 1, "window": 4, "sink": 0, "memory": 0},
        "seed_image": SEED_FILE,
        "demo_poses": DEMO_FILE,
        "intrinsics": [fx, fy, cx, cy],
        "training": {
            "data": f"{len(plan.training)} drives, {sum(plan.frames[drive] for drive in plan.training)} frames at "
            f"{plan.fps:g} per second from {origin}; {len(plan.validation)} drives held back",
            "source": plan.source,
        },
        "limits": [
            NOT_LOOKED_AT.format(how="the figures under `training` and the film of `lingbot imagine` say"),
            "What moves in the world is not imagined, and spoils depth where it was trained without.",
            "What nobody has seen is painted as level floors and upright walls at right angles.",
        ],
    }
