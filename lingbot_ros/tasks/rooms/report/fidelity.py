"""Does the camera go where it was sent, and for how long do images look right? Of imagined drives, beside true ones."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lingbot_ros.evaluate.fidelity.horizon import usable_horizon
from lingbot_ros.evaluate.image_metrics.appearance import exposure_shift, sharpness_ratio
from lingbot_ros.evaluate.image_metrics.pixels import Frame, Video, psnr_db
from lingbot_ros.evaluate.pose_following.following import PoseFollowing, pose_following
from lingbot_ros.tasks.rooms.dataset.episode import Episode

USABLE_DB = 20.0
_TRACKED_PX = 256
"""Images are enlarged to about this height: points in smaller ones cannot be followed. Residuals are in its pixels."""


@dataclass(frozen=True)
class DriveFidelity:
    """Of one drive. following, following_real: the imagined and the true images against the poses that were sent.

    psnr_db float64 [H]: by imagined frame. sharpness, exposure, and those of the true images: of the last frame against
    the last context image, as a ratio and in grey levels.
    """

    following: PoseFollowing
    following_real: PoseFollowing
    psnr_db: NDArray[np.float64]
    sharpness: float
    sharpness_real: float
    exposure: float
    exposure_real: float


def drive_fidelity(episode: Episode, imagined: Video, context: int) -> DriveFidelity:
    """imagined uint8 [H, h, w, 3]: the frames after the first `context` ones of the episode."""
    first = context - 1
    real = episode.frames[first : context + len(imagined)]
    made = np.concatenate([real[:1], imagined])
    poses = episode.poses[first : context + len(imagined)]
    scale = max(1, round(_TRACKED_PX / real.shape[1]))
    camera = _matrix(scale * episode.intrinsics)
    return DriveFidelity(
        following=pose_following(_enlarged(made, scale), poses, camera),
        following_real=pose_following(_enlarged(real, scale), poses, camera),
        psnr_db=np.array([psnr_db(imagined=one, reference=true) for one, true in zip(imagined, real[1:], strict=True)]),
        sharpness=float(sharpness_ratio(made)[-1]),
        sharpness_real=float(sharpness_ratio(real)[-1]),
        exposure=float(exposure_shift(made)[-1]),
        exposure_real=float(exposure_shift(real)[-1]),
    )


def summarise_fidelity(drives: Sequence[DriveFidelity]) -> dict[str, Any]:
    """Medians over drives; figures of cameras over those drives whose true images are found to follow."""
    if not drives:
        return {}
    judged = [one for one in drives if one.following_real.follows]
    horizon = usable_horizon(np.stack([one.psnr_db for one in drives]), USABLE_DB, np.random.default_rng(0))
    return {
        "camera": _camera([one.following for one in judged]),
        "camera_of_true_images": _camera([one.following_real for one in judged]),
        "drives_whose_camera_can_be_judged": len(judged),
        "usable_frames_20_db": horizon.usable_frames,
        "drift_db_per_frame": horizon.slope_per_frame,
        "last_frame_sharpness": _median(drives, lambda one: one.sharpness),
        "last_frame_sharpness_of_true_images": _median(drives, lambda one: one.sharpness_real),
        "last_frame_exposure_grey_levels": _median(drives, lambda one: one.exposure),
        "last_frame_exposure_grey_levels_of_true_images": _median(drives, lambda one: one.exposure_real),
    }


def _camera(found: Sequence[PoseFollowing]) -> dict[str, Any]:
    """A drive in which no pair of images can be told does not count as following: its true images could be."""
    return {
        "follows_share": float(np.mean([one.follows is True for one in found])) if found else float("nan"),
        "residual_px_median": _median(found, lambda one: one.residual_px),
        "front_share_median": _median(found, lambda one: one.front_share),
        "motion_not_executed_drives": sum(one.motion_not_executed for one in found),
        "pairs": sum(one.pairs for one in found),
        "pairs_too_plain": sum(one.abstained for one in found),
    }


def _median(rows: Sequence[Any], of: Callable[[Any], float | None]) -> float:
    """Over the rows that have a value; NaN for none."""
    values = [value for row in rows if (value := of(row)) is not None]
    return float(np.median(values)) if values else float("nan")


def _enlarged(video: Video, scale: int) -> list[Frame]:
    size = video.shape[2] * scale, video.shape[1] * scale
    return [cv2.resize(frame, size, interpolation=cv2.INTER_CUBIC) for frame in video]


def _matrix(intrinsics: NDArray[np.float64]) -> NDArray[np.float64]:
    """As OpenCV counts: the centre of the upper left pixel is (0, 0); that of `intrinsics` is (0.5, 0.5)."""
    fx, fy, cx, cy = intrinsics
    return np.array([[fx, 0, cx - 0.5], [0, fy, cy - 0.5], [0, 0, 1]])
