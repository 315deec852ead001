"""Worlds with known answers: a view that scrolls over a fixed texture by the action, with or without one defect."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

VIEW, WORLD = 96, 768


def _texture(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (WORLD // 8, WORLD // 8, 3), np.uint8)
    return np.asarray(cv2.resize(small, (WORLD, WORLD), interpolation=cv2.INTER_CUBIC))


def _seen(texture: np.ndarray, at: np.ndarray) -> np.ndarray:
    centre = (float(at[0]) + WORLD / 2 - 0.5, float(at[1]) + WORLD / 2 - 0.5)
    return np.asarray(cv2.getRectSubPix(texture, (VIEW, VIEW), centre))


@dataclass(frozen=True)
class ScrollingWorld:
    """`defect`: oracle, noise, drift, gain, lag, mirror, blind, mean_action, freeze, look_ahead."""

    defect: str = "oracle"

    def play(self, scene: int, actions: np.ndarray, seed: int = 0) -> np.ndarray:
        """Frames uint8 [n + 1, 96, 96, 3] under actions [n, 2], pixels to the right and down."""
        rng, texture = np.random.default_rng([scene, seed]), _texture(scene)
        moved = self._obeyed(actions, rng)
        places = np.vstack([np.zeros(2), np.cumsum(moved, axis=0)])
        frames = []
        for k, place in enumerate(places):
            frame = _seen(texture, place).astype(np.float64)
            if self.defect == "noise":
                frame += rng.normal(0, 2, frame.shape)
            if self.defect == "drift":
                frame = 128 + (frame - 128) * 0.985**k + rng.normal(0, 0.4 * k, frame.shape)
            frames.append(np.clip(frame.round(), 0, 255).astype(np.uint8))
        return np.stack(frames)

    def _obeyed(self, actions: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        changes: dict[str, Callable[[], np.ndarray]] = {
            "gain": lambda: 0.7 * actions,
            "lag": lambda: np.vstack([np.zeros((4, 2)), actions[:-4]]),
            "mirror": lambda: actions * (-1, 1),
            "blind": lambda: rng.normal(0, 3, actions.shape),
            "mean_action": lambda: np.ones_like(actions),
            "freeze": lambda: np.zeros_like(actions),
            "look_ahead": lambda: np.vstack([actions[1:], actions[-1:]]),
        }
        return changes.get(self.defect, lambda: actions)()


def read_motion(frames: np.ndarray) -> np.ndarray:
    """Actions [n, 2] as phase correlation reads them off frames."""
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float64) for frame in frames]
    window = cv2.createHanningWindow((VIEW, VIEW), cv2.CV_64F)
    moves = [cv2.phaseCorrelate(before, after, window)[0] for before, after in pairwise(grey)]
    return -np.array(moves)
