"""How far imagined poses are from a goal, in simulator units; and how poses of layers relate to those of the T."""

from dataclasses import dataclass

import numpy as np

from lingbot_ros.errors import InputError
from lingbot_ros.planning.futures import Floats, Frames, Futures
from lingbot_ros.tasks.pusht.block_pose import fit_block_pose
from lingbot_ros.tasks.pusht.geometry import to_pixels, to_units
from lingbot_ros.tasks.pusht.image_reader import pusher_centre, read_shares

UNITS_PER_RADIAN = 57.0
"""A turn of the block is worth as much as moving it by this: about the radius of its corners' mean distance."""


MOST_POSITION, MOST_ANGLE = 20.0, np.pi / 9
"""Success of the protocol: the norm of pusher and block position together, units; the turn, radians."""


@dataclass(frozen=True)
class Poses:
    """pusher [2] and block [3] (x, y, angle), simulator units and radians, as in `geometry`."""

    pusher: Floats
    block: Floats


def read_poses(image: np.ndarray, field: str) -> Poses:
    """Pusher and block in an image uint8 [96, 96, 3]. Raises InputError when one of them is not to be seen."""
    shares = read_shares(image)
    pusher, block = to_units(pusher_centre(shares), image.shape[0]), fit_block_pose(shares).pose
    if not (np.isfinite(pusher).all() and np.isfinite(block).all()):
        raise InputError(field, "an image in which pusher or block is not to be seen", "give another image")
    return Poses(pusher, block)


def near(seen: Poses, goal: Poses, *, with_pusher: bool = True) -> bool:
    """The protocol's success; without the pusher the block alone counts."""
    apart = seen.block[:2] - goal.block[:2]
    if with_pusher:
        apart = np.concatenate([seen.pusher - goal.pusher, apart])
    return bool(np.linalg.norm(apart) < MOST_POSITION and abs(_turned(seen.block[2] - goal.block[2])) < MOST_ANGLE)


def distances(pushers: Floats, blocks: Floats, goal: Poses, pusher_weight: float = 1.0) -> Floats:
    """How far pushers [B, 2] and blocks [B, 3] are from a goal, [B] units: pusher, block and turn together."""
    squares = pusher_weight * ((pushers - goal.pusher) ** 2).sum(axis=1)
    squares = squares + ((blocks[:, :2] - goal.block[:2]) ** 2).sum(axis=1)
    return np.asarray(np.sqrt(squares + (UNITS_PER_RADIAN * _turned(blocks[:, 2] - goal.block[2])) ** 2))


def _turned(angle: Floats) -> Floats:
    return (angle + np.pi) % (2 * np.pi) - np.pi


@dataclass(frozen=True)
class LayerFrame:
    """Relates the poses of layers to those of the T, at an instant at which both are known.

    A world of layers knows no T: the pose of its block is that of whatever outline it has found. layer [3]: pose of the
    block's layer in pixels and radians; block [3]: the T's pose at the same instant.
    """

    layer: Floats
    block: Floats
    image_size: int

    def blocks(self, layers: Floats) -> Floats:
        """Poses of the T [..., 3] when the layer is at [..., 3]."""
        turn = layers[..., 2] - self.layer[2]
        offset = to_pixels(self.block[:2], self.image_size) - self.layer[:2]
        cosine, sine = np.cos(turn), np.sin(turn)
        x = layers[..., 0] + cosine * offset[0] - sine * offset[1]
        y = layers[..., 1] + sine * offset[0] + cosine * offset[1]
        place = to_units(np.stack([x, y], axis=-1), self.image_size)
        return np.concatenate([place, (self.block[2] + turn)[..., None]], axis=-1)


@dataclass(frozen=True)
class PoseGoal:
    """Distance of the last poses from the goal's, units: pusher, block and turn together.

    frame: relates layers to the T. pusher_weight: 1 = as the protocol counts; less where the block matters alone.
    """

    goal: Poses
    frame: LayerFrame
    pusher_weight: float = 1.0

    def __call__(self, futures: Futures) -> Floats:
        """Costs [B]. Raises InputError when the futures have no poses."""
        if futures.poses is None:
            raise InputError("cost", "pose", "this cost needs poses; plan on poses instead of images")
        last = futures.poses[:, -1]
        pushers = to_units(last[:, 0, :2], self.frame.image_size)
        return distances(pushers, self.frame.blocks(last[:, 1]), self.goal, self.pusher_weight)


@dataclass(frozen=True)
class ImagePoseGoal:
    """The same distance, read from the last image of each future; one without pusher or block is infinitely far."""

    goal: Poses
    pusher_weight: float = 1.0

    def __call__(self, futures: Futures) -> Floats:
        """Costs [B]. Raises InputError when the futures have no images."""
        if futures.images is None:
            raise InputError("cost", "pose", "this cost reads images; plan on images instead of poses")
        return np.array([self._distance(image) for image in futures.images[:, -1]])

    def _distance(self, image: Frames) -> float:
        try:
            seen = read_poses(image, "future")
        except InputError:
            return float(np.inf)
        return float(distances(seen.pusher[None], seen.block[None], self.goal, self.pusher_weight)[0])
