"""How far imagined Push-T images are from what the simulator did, measured on the images alone.

Pusher and pose errors are against the simulator's state; mask and centroid errors against the real image read by the
same reader. What cannot be found any more counts as wrong by the whole image: a vanished block must not flatter.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.evaluate.metric import psnr_db
from lingbot_ros.tasks.pusht.block_pose import BlockPose, fit_block_pose, pose_error
from lingbot_ros.tasks.pusht.geometry import to_pixels
from lingbot_ros.tasks.pusht.image_reader import Shares, block_centroid, block_iou, pusher_centre, read_shares


@dataclass(frozen=True)
class Measures:
    """One number per window and frame, float64 [N, F].

    psnr_db against the real image; pusher_px centre to the simulator's pusher; centroid_px of the block's mask and
    block_iou of the masks against the real image's; pose_px, pose_deg of the best-fitting T to the simulator's;
    rigidity = IoU of the mask with that T; lost = 1 where pusher or block was not found.
    """

    psnr_db: NDArray[np.float64]
    pusher_px: NDArray[np.float64]
    centroid_px: NDArray[np.float64]
    block_iou: NDArray[np.float64]
    pose_px: NDArray[np.float64]
    pose_deg: NDArray[np.float64]
    rigidity: NDArray[np.float64]
    lost: NDArray[np.float64]

    def frame(self, index: int) -> dict[str, NDArray[np.float64]]:
        """All measures of frame number `index` (0-based) by name, each [N]."""
        return {field.name: getattr(self, field.name)[:, index] for field in fields(self)}

    def select(self, windows: NDArray[np.bool_]) -> "Measures":
        """Only the `windows` [N] that are True."""
        return Measures(**{field.name: getattr(self, field.name)[windows] for field in fields(self)})


def measure(
    imagined: NDArray[np.uint8],
    real: NDArray[np.uint8],
    pusher: NDArray[np.float64],
    block: NDArray[np.float64],
) -> Measures:
    """Compare images [N, F, 96, 96, 3] with the real ones and the true pusher [N, F, 2] and block [N, F, 3]."""
    windows, frames = imagined.shape[:2]
    names = [field.name for field in fields(Measures)]
    table = np.empty((len(names), windows, frames))
    for n in range(windows):
        seen = None
        for k in range(frames):
            # Fitting a T takes most of the time; a still future is the same image again and again.
            if seen is None or not np.array_equal(imagined[n, k], imagined[n, k - 1]):
                seen = _see(imagined[n, k])
            compared = _compare(seen, read_shares(real[n, k]), pusher[n, k], block[n, k])
            table[:, n, k] = (psnr_db(imagined[n, k], real[n, k]), *compared)
    return Measures(**dict(zip(names, table, strict=True)))


def pusher_errors(imagined: NDArray[np.uint8], pusher: NDArray[np.float64]) -> NDArray[np.float64]:
    """Only the pusher's error in pixels [N, F], for images [N, F, 96, 96, 3] and positions [N, F, 2]."""
    return np.array(
        [
            [_pusher_error(frame, position) for frame, position in zip(frames, positions, strict=True)]
            for frames, positions in zip(imagined, pusher, strict=True)
        ]
    )


def _pusher_error(frame: NDArray[np.uint8], position: NDArray[np.float64]) -> float:
    size = frame.shape[0]
    error = pusher_centre(read_shares(frame)) - to_pixels(position, size)
    return float(np.nan_to_num(np.hypot(*error), nan=size))


@dataclass(frozen=True)
class _Seen:
    """What the reader finds on one image."""

    shares: Shares
    pusher: NDArray[np.float64]
    fit: BlockPose


def _see(frame: NDArray[np.uint8]) -> _Seen:
    shares = read_shares(frame)
    return _Seen(shares, pusher_centre(shares), fit_block_pose(shares))


def _compare(seen: _Seen, real: Shares, pusher: NDArray[np.float64], block: NDArray[np.float64]) -> tuple[float, ...]:
    """All measures but the first, in their order."""
    size = len(seen.shares.block)
    pusher_px = np.hypot(*(seen.pusher - to_pixels(pusher, size)))
    centroid_px = np.hypot(*(block_centroid(seen.shares) - block_centroid(real)))
    pose_px, pose_deg = pose_error(seen.fit.pose, block, size)
    lost = bool(np.isnan(pusher_px) or np.isnan(pose_px))
    return (
        float(np.nan_to_num(pusher_px, nan=size)),
        float(np.nan_to_num(centroid_px, nan=size)),
        block_iou(seen.shares, real),
        float(np.nan_to_num(pose_px, nan=size)),
        float(np.nan_to_num(pose_deg, nan=180.0)),
        seen.fit.iou,
        float(lost),
    )
