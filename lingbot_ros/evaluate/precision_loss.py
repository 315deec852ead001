"""How far two engines' futures of the same world part."""

from collections.abc import Sequence

import numpy as np

from lingbot_ros.model.autoencoder import Frames
from lingbot_ros.world import World
from lingbot_ros.world.random_controls import random_rollout

AFTER = (8, 64)
"""Chunks."""

_EQUAL_DB = 100.0


def frames_db(world: World, other: World, after: Sequence[int] = AFTER) -> dict[str, float]:
    """PSNR between the frames of both, free-running under the same controls, by the number of chunks after which."""
    mine, theirs = (random_rollout(one, max(after)) for one in (world, other))
    return {str(chunks): psnr_db(mine[chunks - 1], theirs[chunks - 1]) for chunks in after}


def psnr_db(some: Frames, others: Frames) -> float:
    """Of uint8 images; 100 where they are equal."""
    error = float(np.mean((some.astype(np.float64) - others) ** 2))
    return min(10 * np.log10(255**2 / error), _EQUAL_DB) if error else _EQUAL_DB
