"""What a camera that stands still sees when nothing is in the way, and which pixels of a frame something covers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.errors import InputError

Frames = NDArray[np.uint8]

_LEAST_GREY = 12.0
_NOISY = 6.0
"""A pixel is covered when it differs from the background by more than the first, and by so many standard deviations."""
_NOISIEST, _NOISIEST_GREY = 0.95, 20.0
_FEWEST_PX = 5
_MOST_COVERED = 0.4
"""Of the image: where more than this differs from the usual image in every second frame, it is not the things that
move."""


@dataclass(frozen=True)
class StillScene:
    """background uint8 [H, W, 3] RGB; noise: standard deviation of its colours from frame to frame, grey levels."""

    background: Frames
    noise: float

    def covered(self, frames: Frames) -> NDArray[np.bool_]:
        """Which pixels [..., H, W] of frames uint8 [..., H, W, 3] show something else."""
        apart = np.abs(frames.astype(np.int16) - self.background).max(-1)
        return np.asarray(apart > max(_LEAST_GREY, _NOISY * self.noise))


def find_scene(frames: Frames) -> StillScene:
    """The usual image of frames [N, H, W, 3] that are spread over a data set.

    Every pixel is to be uncovered in more than half of them. Raises InputError where nothing moves, or everything does.
    """
    background = np.stack([np.median(frames[:, row], axis=0) for row in range(frames.shape[1])])
    background = np.rint(background).astype(np.uint8)
    apart = np.stack(
        [np.median(np.abs(frames[:, row].astype(np.int16) - background[row]), 0) for row in range(len(background))]
    )
    scene = StillScene(background, 1.48 * float(np.quantile(apart.max(-1), _NOISIEST)))
    fix = "the camera must stand still and the light stay as it is; else train a network"
    if scene.noise > _NOISIEST_GREY:
        raise InputError("--data", f"clips whose image varies by {scene.noise:.0f} grey levels all over", fix)
    share = scene.covered(frames).mean((1, 2))
    if share.max() * background[..., 0].size < _FEWEST_PX:
        raise InputError("--data", "clips in which nothing moves", "record the robot while it pushes things about")
    if np.median(share) > _MOST_COVERED:
        what = f"clips of which {np.median(share):.0%} of the image differ from the usual image"
        raise InputError("--data", what, fix)
    return scene
