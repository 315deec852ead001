"""Does a clip's camera go where it was sent? Tracked points against the commanded poses."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.pose_following.residuals import (
    front_share,
    parallax_variation,
    relative_motion,
    rotation_residual_px,
    sampson_px,
)
from lingbot_ros.evaluate.pose_following.tracks import Tracks, track

Floats = NDArray[np.float64]
Frame = NDArray[np.uint8]

GAP_FRAMES = 4
MOST_RESIDUAL_PX, LEAST_FRONT_SHARE, MOST_PARALLAX_VARIATION = 1.0, 0.75, 0.5

_STANDS_PX, _MOVES_PX = 0.5, 1.0
_FEWEST_MOVING, _STANDING_SHARE = 5, 0.8


@dataclass(frozen=True)
class PoseFollowing:
    """residual_px: median over pairs of the tracks' median distance from where the command puts them. front_share: near
    0 for the opposite direction; parallax_variation: high where steps are not of the commanded lengths. None where
    no pair could tell. pairs: that could; abstained: that had too few tracks, or a motion that was not made.
    motion_not_executed: the camera was to advance and stood.
    """

    residual_px: float | None
    front_share: float | None
    parallax_variation: float | None
    pairs: int
    abstained: int
    motion_not_executed: bool

    @property
    def follows(self) -> bool | None:
        """Whether all figures keep their limits; None where no pair could tell."""
        if self.motion_not_executed:
            return False
        if self.residual_px is None:
            return None
        return (
            self.residual_px <= MOST_RESIDUAL_PX
            and (self.front_share is None or self.front_share >= LEAST_FRONT_SHARE)
            and (self.parallax_variation is None or self.parallax_variation <= MOST_PARALLAX_VARIATION)
        )


@dataclass(frozen=True)
class _Pair:
    tracks: Tracks
    motion: Floats
    displacement_px: float

    @property
    def length_m(self) -> float:
        return float(np.linalg.norm(self.motion[:3, 3]))


def pose_following(frames: Sequence[Frame], poses: Floats, camera: Floats) -> PoseFollowing:
    """Of frames uint8 [H, W, 3] RGB against commanded camera-to-world poses [n, 4, 4] (OpenCV axes, metres) and the
    matrix [3, 3] of intrinsics, pixels. Raises InputError for another count of poses.
    """
    if len(frames) != len(poses):
        raise InputError("poses", f"{len(poses)} for {len(frames)} frames", "give one for every frame")
    pairs, abstained = list[_Pair](), 0
    for first in range(0, len(frames) - GAP_FRAMES, GAP_FRAMES):
        tracks = track(frames[first], frames[first + GAP_FRAMES])
        motion = relative_motion(poses[first], poses[first + GAP_FRAMES])
        if not tracks.suffice:
            abstained += 1
            continue
        moved = rotation_residual_px(tracks.p, tracks.q, motion[:3, :3], camera)
        pairs.append(_Pair(tracks, motion, float(np.median(moved))))
    advancing = [pair for pair in pairs if pair.length_m > 0]
    standing = [pair for pair in advancing if pair.displacement_px < _STANDS_PX]
    stood = len(advancing) >= _FEWEST_MOVING and len(standing) >= _STANDING_SHARE * len(advancing)
    judged = [pair for pair in pairs if not stood or pair.length_m == 0]
    translating = [pair for pair in judged if pair.length_m > 0 and pair.displacement_px >= _MOVES_PX]
    residuals = [_residual(pair, camera) for pair in judged]
    fronts = [front_share(pair.tracks.p, pair.tracks.q, pair.motion, camera) for pair in translating]
    return PoseFollowing(
        float(np.median(residuals)) if residuals else None,
        float(np.median(fronts)) if fronts else None,
        parallax_variation(
            np.array([pair.displacement_px for pair in translating]), np.array([pair.length_m for pair in translating])
        ),
        len(judged),
        abstained + len(pairs) - len(judged),
        stood,
    )


def _residual(pair: _Pair, camera: Floats) -> float:
    if pair.length_m == 0 or pair.displacement_px < _MOVES_PX:
        return pair.displacement_px
    return float(np.median(sampson_px(pair.tracks.p, pair.tracks.q, pair.motion, camera)))
