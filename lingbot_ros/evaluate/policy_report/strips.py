"""A strip of images of every rollout, so that a report can show those that matter once they are known."""

import hashlib
from pathlib import Path

import cv2
import numpy as np

from lingbot_ros.errors import ErrorCode, ResourceError
from lingbot_ros.evaluate.rollouts.record import Rollout
from lingbot_ros.evaluate.rollouts.stepper import Frames

IMAGES = 9
_WIDEST_PX = 96


def strip_path(folder: Path, arm: str, policy: str, start: str) -> Path:
    """Where the strip of a rollout lies; names of policies are not names of files."""
    name = hashlib.sha256(f"{policy}\0{start}".encode()).hexdigest()[:16]
    return folder / "strips" / arm / f"{name}.png"


def shown_frames(count: int) -> list[int]:
    """Which of `count` frames a strip shows: the first, the last and evenly between."""
    return sorted({round(index) for index in np.linspace(0, count - 1, IMAGES)})


def keep_strip(folder: Path, rollout: Rollout, frames: Frames) -> None:
    """Write the strip of frames uint8 [n + 1, H, W, 3]. Raises ResourceError."""
    scale = min(1.0, _WIDEST_PX / frames.shape[2])
    size = (round(frames.shape[2] * scale), round(frames.shape[1] * scale))
    shown = [cv2.resize(frames[at], size, interpolation=cv2.INTER_AREA) for at in shown_frames(len(frames))]
    path = strip_path(folder, rollout.arm, rollout.policy, rollout.start)
    path.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(path), cv2.cvtColor(np.hstack(shown), cv2.COLOR_RGB2BGR)):
        raise ResourceError(f"report: cannot write {path}; free some space or use another folder", ErrorCode.DISK)
