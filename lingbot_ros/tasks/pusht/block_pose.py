"""Where the T is and how much of a T it still is: the pose whose silhouette covers the block's pixels best."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.tasks.pusht.geometry import ARENA_SIZE, CENTROID, place, to_pixels, to_units
from lingbot_ros.tasks.pusht.image_reader import Shares, block_centroid

Floats = NDArray[np.float64]

# gym-pusht draws a rim around the T that reaches this far beyond its true edge, simulator units.
_RIM = 2.5
_COARSE_ANGLES = 24
_FINALISTS = 3
_COARSE_STRIDE = np.array([6.0, 6.0, np.pi / _COARSE_ANGLES])
_TRACKED_STRIDE = np.array([4.0, 4.0, 0.06])
_TRACKED_ROUNDS = 14
_FINEST = 0.05
_LOST_IOU = 0.1
_WALLS = 48
"""A wall takes this part of an image, 2 pixels of 96."""

_NEIGHBOURS = np.vstack([np.eye(3), -np.eye(3)])


@dataclass(frozen=True)
class BlockPose:
    """pose [3] = x, y, angle (simulator units, radians in -pi..pi) of the best T; iou 0..1 of its shape with the mask.

    The IoU of a clean T is its ceiling, about 0.96 at 96 pixels; melting, tearing and doubling lower it. An image
    without a block has a NaN pose and IoU 0.
    """

    pose: Floats
    iou: float


def fit_block_pose(shares: Shares) -> BlockPose:
    """Search position and angle from the mask's centroid: all directions coarsely, then the best ones finely."""
    centroid = block_centroid(shares)
    if np.isnan(centroid).any():
        return BlockPose(np.full(3, np.nan), 0.0)
    image = _Image(shares)
    angles = np.linspace(-np.pi, np.pi, _COARSE_ANGLES, endpoint=False)
    poses = _poses_around(to_units(centroid, image.size), angles)
    finalists = poses[np.argsort(-image.soft_iou(poses))[:_FINALISTS]]
    roughly = [_refine(image, start, _COARSE_STRIDE, rounds=6) for start in finalists]
    pose, _ = _refine(image, max(roughly, key=lambda found: found[1])[0], _COARSE_STRIDE / 4, rounds=14)
    return BlockPose(_wrapped(pose), image.iou(pose))


def track_block_pose(shares: Shares, last: BlockPose) -> BlockPose:
    """Search near the pose of the frame before, in a third of the time of `fit_block_pose`.

    Where that finds much less of a T than there was, the whole image is searched.
    """
    if np.isnan(last.pose).any() or np.isnan(block_centroid(shares)).any():
        return fit_block_pose(shares)
    image = _Image(shares, reach=4)
    pose, _ = _refine(image, last.pose, _TRACKED_STRIDE, rounds=_TRACKED_ROUNDS, finest=_FINEST)
    found = BlockPose(_wrapped(pose), image.iou(pose))
    return found if found.iou > last.iou - _LOST_IOU else max(found, fit_block_pose(shares), key=lambda fit: fit.iou)


def _wrapped(pose: Floats) -> Floats:
    return np.array([pose[0], pose[1], (pose[2] + np.pi) % (2 * np.pi) - np.pi])


def _poses_around(centroid: Floats, angles: Floats) -> Floats:
    origin = np.stack([np.zeros_like(angles), np.zeros_like(angles), angles], axis=-1)
    return np.column_stack([centroid - place(CENTROID, origin), angles])


def _refine(image: "_Image", pose: Floats, stride: Floats, rounds: int, finest: float = 0.0) -> tuple[Floats, float]:
    """Try `pose` a `stride` [3] to either side, move to the best, halve the stride when none is better.

    It ends after so many rounds, or with a stride below `finest` units.

    Returns the pose and its soft IoU. Neighbours turn about the T's centre, not about the origin of its pose, so that
    the three numbers do not pull on one another.
    """
    score = float(image.soft_iou(pose[None])[0])
    for _ in range(rounds):
        if stride[0] < finest:
            break
        centre = place(CENTROID, pose)
        moved = _NEIGHBOURS * stride
        poses = _poses_around(centre, pose[2] + moved[:, 2])
        poses[:, :2] += moved[:, :2]
        scores = image.soft_iou(poses)
        best = int(scores.argmax())
        if scores[best] > score + 1e-9:
            pose, score = poses[best], float(scores[best])
        else:
            stride = stride / 2
    return pose, score


class _Image:
    """The part of an image around its block, ready to be compared with many poses at once."""

    def __init__(self, shares: Shares, reach: int = 8) -> None:
        """`reach`: how many pixels around the block belong to it."""
        self.size = shares.block.shape[0]
        top, bottom, left, right = _surroundings(shares.block_mask, reach)
        window = np.s_[top:bottom, left:right]
        known = ~shares.unknown[window]
        ys, xs = np.nonzero(known)
        self._points = to_units(np.stack([xs + left, ys + top], axis=-1), self.size).astype(np.float32)
        self._share = shares.block[window][known].astype(np.float32)
        self._mask = shares.block_mask[window][known]

    def soft_iou(self, poses: Floats) -> Floats:
        """IoU [P] of the shares with the silhouettes at `poses` [P, 3], fractions of pixels counted as such."""
        silhouette = np.clip(0.5 - self._distance(poses) * (self.size / ARENA_SIZE), 0.0, 1.0)
        both = np.minimum(silhouette, self._share).sum(axis=1)
        either = np.maximum(silhouette, self._share).sum(axis=1)
        return np.asarray(both / np.maximum(either, 1e-9))

    def iou(self, pose: Floats) -> float:
        """IoU of the mask with the silhouette at `pose` [3], whole pixels."""
        silhouette = self._distance(pose[None])[0] < 0.0
        return float((silhouette & self._mask).sum() / max((silhouette | self._mask).sum(), 1))

    def _distance(self, poses: Floats) -> NDArray[np.float32]:
        """Signed distance [P, n] of the points from the outline, negative inside; exact next to the edges."""
        placed = poses.astype(np.float32)[:, None]
        right, down = self._points[:, 0] - placed[..., 0], self._points[:, 1] - placed[..., 1]
        cosine, sine = np.cos(placed[..., 2]), np.sin(placed[..., 2])
        x, y = cosine * right + sine * down, cosine * down - sine * right
        bar = np.maximum(np.abs(x) - 60, np.abs(y - 15) - 15)
        stem = np.maximum(np.abs(x) - 15, np.abs(y - 75) - 45)
        return np.asarray(np.minimum(bar, stem) - _RIM)


def _surroundings(mask: NDArray[np.bool_], reach: int) -> tuple[int, int, int, int]:
    """First and last row and column, the last ones excluded, of a block and `reach` pixels around it.

    The walls along the edges have the block's grey in their corners, which would stretch it over the whole image.
    """
    edge = mask.shape[0] // _WALLS
    rows, columns = (at + edge for at in np.nonzero(mask[edge:-edge, edge:-edge]))
    if not len(rows):
        return 0, mask.shape[0], 0, mask.shape[1]
    return (
        max(int(rows.min()) - reach, 0),
        min(int(rows.max()) + reach + 1, mask.shape[0]),
        max(int(columns.min()) - reach, 0),
        min(int(columns.max()) + reach + 1, mask.shape[1]),
    )


def pose_error(fit: Floats, truth: Floats, image_size: int) -> tuple[float, float]:
    """How far a fitted pose [3] is from the true one [3]: pixels between the Ts' centres, degrees between angles."""
    apart = to_pixels(place(CENTROID, fit), image_size) - to_pixels(place(CENTROID, truth), image_size)
    turn = (fit[2] - truth[2] + np.pi) % (2 * np.pi) - np.pi
    return float(np.hypot(*apart)), float(abs(np.degrees(turn)))
