"""Scores an image by the pose of the T in it."""

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.evaluate.policies.contract import Frame, Start
from lingbot_ros.tasks.pusht.block_pose import BlockPose, fit_block_pose, track_block_pose
from lingbot_ros.tasks.pusht.evaluation.coverage import coverage_of
from lingbot_ros.tasks.pusht.image_reader import read_shares


class FittedPose:
    """The share of the goal that the fitted T covers, 0..1. The same eyes read real and imagined images."""

    name = "fitted pose"
    version = "2"

    def begin(self, start: Start, first: Frame) -> "PoseTrack":
        return PoseTrack(fit_block_pose(read_shares(first)))


class PoseTrack:
    """Follows one T from image to image."""

    def __init__(self, first: BlockPose) -> None:
        self._last = first

    def score(self, frames: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Coverage [n] of frames uint8 [n, H, W, 3]; NaN where no T can be seen."""
        scores = []
        for frame in frames:
            found = track_block_pose(read_shares(frame), self._last)
            if np.isfinite(found.pose).all():
                self._last = found
            scores.append(coverage_of(found.pose))
        return np.array(scores)
