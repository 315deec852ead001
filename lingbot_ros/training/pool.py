"""Clips being trained on, each conditioned on what the model itself made of it the time before.

A world model that has only ever seen true pasts falls apart on its own. Rolling out inside every training step is slow;
here each step's predictions are kept and become the same clip's past the next time it is drawn. After d draws frame t
rests on a min(d, t)-step rollout, and every forward pass is a training pass.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from lingbot_ros.training.clip_stream import ClipStream


@dataclass(frozen=True)
class Clip:
    """Two real context frames and what follows: frames uint8 [2 + L, H, W, 3]; actions float32 [1 + L, dim] in -1..1.

    actions[0] led to frames[1], actions[t] leads to frames[t + 1]. `motions` float32 [L, layers, 3], where they are
    known, say how the things that the model's rigid layers stand for moved to each predicted frame: pixels, radians.
    """

    frames: np.ndarray
    actions: np.ndarray
    motions: np.ndarray | None = None


class ClipSource(Protocol):
    """Where clips come from; draws depend on `rng` alone."""

    def sample(self, rng: np.random.Generator) -> Clip: ...


@dataclass(frozen=True)
class Batch:
    """One training batch of B clips of L frames.

    target float32 [B, 3, L, H, W] in -1..1; condition [B, 6, L, H, W] (the previous and the one before);
    actions [B, L, 2, dim], newest first; motions [B, L, layers, 3] if known; `slots` says where the clips live in the
    pool.
    """

    target: Tensor
    condition: Tensor
    actions: Tensor
    motions: Tensor | None
    slots: np.ndarray


class RolloutPool:
    """`size` clips with their current pasts; draw a batch, train, `update` it with the predictions.

    The clips live on the device that trains: predictions never leave it, and a clip crosses once, when it is fresh.
    """

    def __init__(
        self,
        source: ClipSource,
        size: int,
        seed: int,
        still_start: float = 0.25,
        device: torch.device | str = "cpu",
        loaders: int = 0,
    ) -> None:
        """`still_start`: share of clips that begin as a session does, from one image shown twice.

        `loaders` threads prepare fresh clips; how many changes none of them.
        """
        self._source = source
        self._rng = np.random.default_rng(seed)
        self._still_start = still_start
        self._device = torch.device(device)
        self._stream = ClipStream(self._load, seed, loaders)
        self._depth = np.zeros(size, dtype=np.int64)
        first = self._stream.take()
        self._truth, self._actions, *known = (
            torch.empty((size, *part.shape), dtype=part.dtype, device=self._device) for part in first
        )
        self._past = torch.empty_like(self._truth)
        self._motions = known[0] if known else None
        for slot in range(size):
            self._place(slot, *(first if slot == 0 else self._stream.take()))

    def _fresh(self, rng: np.random.Generator) -> Clip:
        clip = self._source.sample(rng)
        if rng.random() >= self._still_start:
            return clip
        frames, actions = clip.frames.copy(), clip.actions.copy()
        frames[0], actions[0] = frames[1], actions[1]
        return Clip(frames, actions, clip.motions)

    def _load(self, rng: np.random.Generator) -> tuple[Tensor, ...]:
        """A fresh clip's frames, actions and motions if known, in memory that a GPU can read by itself."""
        clip = self._fresh(rng)
        parts = (clip.frames, clip.actions) if clip.motions is None else (clip.frames, clip.actions, clip.motions)
        tensors = tuple(torch.from_numpy(part) for part in parts)
        return tuple(tensor.pin_memory() for tensor in tensors) if self._device.type == "cuda" else tensors

    def _place(self, slot: int, frames: Tensor, actions: Tensor, motions: Tensor | None = None) -> None:
        self._truth[slot].copy_(frames, non_blocking=True)
        self._past[slot].copy_(self._truth[slot])
        self._actions[slot].copy_(actions, non_blocking=True)
        if self._motions is not None and motions is not None:
            self._motions[slot].copy_(motions, non_blocking=True)
        self._depth[slot] = 0

    def draw(self, count: int, max_depth: int) -> Batch:
        """Draw `count` clips; those trained beyond `max_depth` are replaced by fresh ones first."""
        slots = self._rng.choice(len(self._depth), count, replace=False)
        for slot in slots:
            if self._depth[slot] > max_depth:
                self._place(slot, *self._stream.take())
        index = torch.from_numpy(slots).to(self._device)
        past, actions = to_float(self._past[index]), self._actions[index]
        return Batch(
            target=to_float(self._truth[index, 2:]),
            condition=torch.cat((past[:, :, 1:-1], past[:, :, :-2]), dim=1),
            actions=torch.stack((actions[:, 1:], actions[:, :-1]), dim=2),
            motions=None if self._motions is None else self._motions[index],
            slots=slots,
        )

    def update(self, batch: Batch, prediction: Tensor) -> None:
        """Make the predictions [B, 3, L, H, W] the past that the clips see next time; context frames stay real."""
        self._past[torch.from_numpy(batch.slots).to(self._device), 2:] = to_uint8(prediction)
        self._depth[batch.slots] += 1

    def close(self) -> None:
        """End the threads that load clips."""
        self._stream.close()


def to_float(frames: Tensor | np.ndarray) -> Tensor:
    """uint8 [B, L, H, W, 3] -> float32 [B, 3, L, H, W] in -1..1."""
    return torch.as_tensor(frames).permute(0, 4, 1, 2, 3).float() / 127.5 - 1


def to_uint8(latents: Tensor) -> Tensor:
    """float [B, 3, L, H, W] in -1..1 -> uint8 [B, L, H, W, 3], rounded and clamped."""
    scaled = ((latents.float() + 1) * 127.5).round().clamp(0, 255)
    return scaled.to(torch.uint8).permute(0, 2, 3, 4, 1)
