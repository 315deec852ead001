"""A Push-T data set as training wants it: clips with known motions, and what a model is validated on."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lingbot_ros.checkpoints.cards import ControlSpec
from lingbot_ros.tasks.pusht.dataset.reader import ClipSampler, PushTDataset
from lingbot_ros.tasks.pusht.geometry import centroid_at, to_pixels
from lingbot_ros.tasks.pusht.image_reader import UNMIX
from lingbot_ros.tasks.pusht.validation import PUSHT_METRICS, simulated_windows, stored_windows
from lingbot_ros.training.config import TrainConfig
from lingbot_ros.training.pool import Clip
from lingbot_ros.training.training_data import TrainingData
from lingbot_ros.training.validation import Validation

ARENA_CENTRE = 256.0
CONTROL = ControlSpec("action", 2, ("x", "y"), (0.0, 0.0), (512.0, 512.0), "simulator units")
FPS = 10.0


def pusht_training_data(folder: Path, config: TrainConfig, validation: Path | None) -> TrainingData:
    """The set in `folder`, validated on the one in `validation`, or on episodes simulated for it.

    Raises InputError when a folder holds no Push-T data set.
    """
    dataset = PushTDataset(folder)
    held_out = None if validation is None else PushTDataset(validation)

    def new_validation() -> Validation:
        shown = config.validation
        windows = simulated_windows(shown) if held_out is None else stored_windows(held_out, shown)
        return Validation(windows, PUSHT_METRICS, config.gate.frame if config.gate else 1)

    background = median_image(dataset)
    return TrainingData(
        source=PushTClips(dataset, config.rollout.clip_frames, config.moving_fraction),
        background=background,
        control=CONTROL,
        fps=FPS,
        new_validation=new_validation,
        parts=PushTParts(background),
    )


class PushTClips:
    """Clips of `frames` predicted frames and two of context, `moving_fraction` of them with a moving block."""

    def __init__(self, dataset: PushTDataset, frames: int, moving_fraction: float) -> None:
        self._dataset, self._length = dataset, frames + 2
        self._sampler = ClipSampler(dataset, self._length, moving_fraction)

    def sample(self, rng: np.random.Generator) -> Clip:
        clips = self._dataset.clips(self._sampler.draw(1, rng), self._length)
        motions = thing_motions(clips.block[0, 1:], clips.pusher[0, 1:], clips.frames.shape[2])
        return Clip(frames=clips.frames[0], actions=scale_actions(clips.actions[0]), motions=motions)


class PushTParts:
    """Whose each pixel of images [n, 3, H, W] in -1..1 is, real or imagined: rest, block, pusher [n, 3, H, W].

    Shares that sum to 1, by the colours that the report's reader goes by, on the device of the images. What the
    background [H, W, 3] uint8 shows as well is no thing: the grey walls could be block by a third.
    """

    def __init__(self, background: NDArray[np.uint8]) -> None:
        image = torch.from_numpy(background).permute(2, 0, 1)[None].float() / 127.5 - 1
        self._usual = _things(image)

    def __call__(self, frames: Tensor) -> Tensor:
        usual = self._usual.to(frames.device)
        things = ((_things(frames) - usual) / (1 - usual).clamp_min(1e-3)).clamp(0, 1)
        rest = (1 - things.sum(dim=1, keepdim=True)).clamp_min(0)
        parts = torch.cat((rest, things), dim=1)
        return parts / parts.sum(dim=1, keepdim=True)


def _things(frames: Tensor) -> Tensor:
    """How much of each pixel of images [n, 3, H, W] could be block and pusher: [n, 2, H, W]."""
    unmix = torch.from_numpy(UNMIX).float().to(frames.device)
    pixels = torch.cat(((frames.float() + 1) * 127.5, torch.full_like(frames[:, :1], 255.0)), dim=1)
    return torch.einsum("sc,nchw->nshw", unmix, pixels).clamp(0, 1)[:, 2:]


def thing_motions(block: NDArray[np.float32], pusher: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """How block [L+1, 3] and pusher [L+1, 2] move from frame to frame of an image `size` pixels wide: [L, 2, 3].

    The block first: the pusher is drawn over it.
    """
    places = np.stack([to_pixels(centroid_at(block), size), to_pixels(pusher, size)], axis=1)
    turns = np.stack([block[:, 2], np.zeros(len(block))], axis=1)
    poses = np.concatenate([places, turns[..., None]], axis=2)
    motions = np.diff(poses, axis=0)
    motions[..., 2] = (motions[..., 2] + np.pi) % (2 * np.pi) - np.pi
    return motions.astype(np.float32)


def scale_actions(targets: NDArray[np.float32]) -> NDArray[np.float32]:
    """Simulator units 0..512 -> -1..1."""
    return (targets / ARENA_CENTRE - 1).astype(np.float32)


def median_image(dataset: PushTDataset, samples: int = 300) -> NDArray[np.uint8]:
    """What the scene looks like without anything that moves: the per-pixel median of frames spread over the data."""
    episodes = np.linspace(0, len(dataset) - 1, min(samples, len(dataset))).astype(int)
    return np.median([dataset.frames(episode)[0] for episode in episodes], axis=0).astype(np.uint8)
