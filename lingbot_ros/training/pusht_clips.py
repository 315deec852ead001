"""Push-T data as the rollout pool wants it."""

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.training.pool import Clip
from lingbot_ros.training.pusht_data.reader import ClipSampler, PushTDataset

ARENA_CENTRE = 256.0


class PushTClips:
    """Clips of `frames` predicted frames and two of context, `moving_fraction` of them with a moving block."""

    def __init__(self, dataset: PushTDataset, frames: int, moving_fraction: float) -> None:
        self._dataset, self._length = dataset, frames + 2
        self._sampler = ClipSampler(dataset, self._length, moving_fraction)

    def sample(self, rng: np.random.Generator) -> Clip:
        clips = self._dataset.clips(self._sampler.draw(1, rng), self._length)
        return Clip(frames=clips.frames[0], actions=scale_actions(clips.actions[0]))


def scale_actions(targets: NDArray[np.float32]) -> NDArray[np.float32]:
    """Simulator units 0..512 -> -1..1."""
    return (targets / ARENA_CENTRE - 1).astype(np.float32)


def median_image(dataset: PushTDataset, samples: int = 300) -> NDArray[np.uint8]:
    """What the scene looks like without anything that moves: the per-pixel median of frames spread over the data."""
    episodes = np.linspace(0, len(dataset) - 1, min(samples, len(dataset))).astype(int)
    return np.median([dataset.frames(episode)[0] for episode in episodes], axis=0).astype(np.uint8)
