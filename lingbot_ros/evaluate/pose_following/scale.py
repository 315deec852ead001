"""How far the camera of one clip went compared with that of another which begins with the same image."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.pose_following.odometry import seen_motion
from lingbot_ros.evaluate.pose_following.tracks import Tracks, track

Floats = NDArray[np.float64]
Frame = NDArray[np.uint8]

_FEWEST_POINTS = 30
_LEAST_PARALLAX_PX = 3.0
_SAME_POINT_PX = 0.5


@dataclass(frozen=True)
class DistanceRatio:
    """ratio: distance in the second clip, in units of that in the first. points: how many tell it; spread: half of the
    middle half of what they tell, as a share of the ratio.
    """

    ratio: float
    points: int
    spread: float


def distance_ratio(first: Sequence[Frame], second: Sequence[Frame], camera: Floats) -> DistanceRatio:
    """From the depths of the same points of the first image, triangulated in each clip with a baseline of length 1.

    Frames uint8 [H, W, 3] of one size, camera the matrix [3, 3] of intrinsics, pixels. Visual odometry does not know
    lengths; two clips of one scene have its depths in common. Raises InputError where the clips cannot tell.
    """
    depths = [_depths(frames, camera, name) for frames, name in ((first, "clip"), (second, "imagined clip"))]
    ratios = np.array([depths[0][point] / depth for point, depth in depths[1].items() if point in depths[0]])
    if len(ratios) < _FEWEST_POINTS:
        fix = f"give clips in which {_FEWEST_POINTS} or more points of the first image stay in view"
        raise InputError("clip", f"{len(ratios)} points that both clips show", fix)
    low, ratio, high = np.quantile(ratios, (0.25, 0.5, 0.75))
    return DistanceRatio(float(ratio), len(ratios), float((high - low) / 2 / ratio))


def _depths(frames: Sequence[Frame], camera: Floats, field: str) -> dict[tuple[float, float], float]:
    """Depth of points of the first image, by pixel, in units of the distance to where the last image was taken."""
    tracks = _track_through(frames)
    motion = seen_motion(tracks, camera)
    if motion is None or not motion.direction.any():
        raise InputError(
            field, f"{len(tracks.p)} tracked points", "give a drive on which the camera sees the same scene"
        )
    pose = np.column_stack([motion.rotation, motion.direction])
    points = cv2.triangulatePoints(camera @ np.eye(3, 4), camera @ pose, tracks.p.T, tracks.q.T)
    depth = points[2] / points[3]
    turned = camera @ motion.rotation @ np.linalg.inv(camera) @ np.vstack([tracks.p.T, np.ones(len(tracks.p))])
    parallax = np.linalg.norm(turned[:2] / turned[2] - tracks.q.T, axis=0)
    told = (depth > 0) & np.isfinite(depth) & (parallax >= _LEAST_PARALLAX_PX)
    if not told.any():
        raise InputError(field, "no parallax", "give a longer drive, or one closer to things")
    return {(x, y): z for (x, y), z in zip(tracks.p[told].tolist(), depth[told].tolist(), strict=True)}


def _track_through(frames: Sequence[Frame]) -> Tracks:
    """Corners of the first image followed from frame to frame to the last."""
    tracks = track(frames[0], frames[0])
    start, at = tracks.p, tracks.p
    for before, after in pairwise(frames):
        start, at = _follow(before, after, start, at)
    return Tracks(start, at, tracks.size)


def _follow(before: Frame, after: Frame, start: Floats, at: Floats) -> tuple[Floats, Floats]:
    if not len(at):
        return start, at
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in (before, after)]
    points = at.astype(np.float32).reshape(-1, 1, 2)
    there, found, _ = cv2.calcOpticalFlowPyrLK(grey[0], grey[1], points, None)  # type: ignore[call-overload]
    back, found_back, _ = cv2.calcOpticalFlowPyrLK(grey[1], grey[0], there, None)  # type: ignore[call-overload]
    apart = np.linalg.norm((back - points).reshape(-1, 2), axis=1)
    kept = (found.ravel() == 1) & (found_back.ravel() == 1) & (apart < _SAME_POINT_PX)
    return start[kept], there.reshape(-1, 2)[kept].astype(np.float64)
