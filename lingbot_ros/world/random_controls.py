"""Controls that any model takes, where nothing better is at hand: for calibrating and comparing."""

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.model.autoencoder import Frames
from lingbot_ros.world.session import Session
from lingbot_ros.world.world import World

_STRIDE = 0.15
"""How far an action goes from one frame to the next, as a share of its range."""

_STEP_M = 0.02


class RandomControls:
    """Seeded. Actions wander within their limits; a camera goes forward and turns a little."""

    def __init__(self, world: World, seed: int = 0) -> None:
        self._info, self._rng = world.info, np.random.default_rng(seed)
        self._at, self._pose = self._rng.uniform(size=world.info.control.dim), np.eye(4)

    def next(self, frames: int) -> NDArray[np.float64]:
        """Actions [frames, dim], or camera poses [frames, 4, 4], or [frames, 5, 4] with keys."""
        return np.array(
            [self._action() if self._info.control.kind == "action" else self._move() for _ in range(frames)]
        )

    def _action(self) -> NDArray[np.float64]:
        low, high = np.array(self._info.control.low), np.array(self._info.control.high)
        self._at = np.clip(self._at + self._rng.normal(size=len(low)) * _STRIDE, 0, 1)
        return np.asarray(low + self._at * (high - low))

    def _move(self) -> NDArray[np.float64]:
        angle = self._rng.normal() * _STEP_M
        turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
        pose = self._pose.copy()
        self._pose[:3, 3] += self._pose[:3, 2] * _STEP_M
        self._pose[:3, :3] = self._pose[:3, :3] @ turn
        return np.vstack([pose, np.zeros(4)]) if self._info.control.takes_keys else pose


def first_image(world: World) -> Frames:
    """The card's example, or noise where it has none."""
    image = world.seed_image()
    if image is None:
        size = (world.info.height, world.info.width, 3)
        image = np.random.default_rng(0).integers(0, 256, size, np.uint8)
    return image


def random_rollout(world: World, chunks: int, seed: int = 0) -> list[Frames]:
    """The frames of each chunk, uint8 [n, H, W, 3], from the first image on."""
    session: Session = world.start(first_image(world), seed=seed)
    controls = RandomControls(world, seed)
    try:
        return [session.step(controls.next(session.frames_in_next_chunk)) for _ in range(chunks)]
    finally:
        session.close()
