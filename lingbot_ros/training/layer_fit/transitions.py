"""Moments of a data set as the laws of motion see them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from lingbot_ros.errors import InputError
from lingbot_ros.model.rigid_layers.interaction import FEATURES, features, to_push
from lingbot_ros.model.rigid_layers.rigid_layers import SHARPNESS, RigidLayers, centroids, softmax_of_channels
from lingbot_ros.training.pool import Clip, ClipSource, to_float

_CLIPS_AT_ONCE = 2
_STILL_SHARE = 0.03
"""A session begins with one image shown twice: so many transitions pretend to be its first."""


@dataclass(frozen=True)
class Transitions:
    """N steps from a frame to the next.

    Of the driven layer: centre and last motion [N, 2] in pixels as its masks say, motion [N, 2]; actions [N, 2, dim],
    newest first. Of P pushes of the other layers by it: `seen` float16 [P, n] as `interaction.features`, `pushed`
    [P, 3] as `to_push`, `length` [P, 1] of the driven motion in pixels.
    """

    centre: Tensor
    last: Tensor
    motion: Tensor
    actions: Tensor
    seen: Tensor
    pushed: Tensor
    length: Tensor


@torch.no_grad()
def gather_transitions(
    layers: RigidLayers, source: ClipSource, count: int, seed: int, device: torch.device
) -> Transitions:
    """`count` of them, on `device`. Raises InputError for a source that does not know the motions."""
    rng = np.random.default_rng([seed, 3])
    kept: tuple[Tensor, ...] | None = None
    with tqdm(total=count, desc="transitions", unit="frames") as bar:
        while bar.n < count:
            some = _of_clips(layers, [source.sample(rng) for _ in range(_CLIPS_AT_ONCE)], rng, device)
            if kept is None:
                # All in one piece: thousands of small ones between large temporary ones would scatter over gigabytes.
                kept = tuple(torch.empty(count, *part.shape[1:], dtype=part.dtype, device=device) for part in some)
            fit = min(len(some[0]), count - bar.n)
            for column, part in zip(kept, some, strict=True):
                column[bar.n : bar.n + fit] = part[:fit]
            bar.update(fit)
    assert kept is not None
    centre, last, motion, actions, seen, pushed = kept
    length = motion.norm(dim=-1, keepdim=True).repeat_interleave(layers.count - 1, dim=0)
    return Transitions(centre, last, motion, actions, seen.flatten(0, 1), pushed.flatten(0, 1), length)


def _of_clips(
    layers: RigidLayers, clips: Sequence[Clip], rng: np.random.Generator, device: torch.device
) -> tuple[Tensor, ...]:
    """Of the driven layer and of its pushes [N, layers - 1, ...], in the order of `Transitions`."""
    frames = torch.from_numpy(np.stack([clip.frames[:-1] for clip in clips])).to(device)
    count, length = frames.shape[:2]
    images = to_float(frames).transpose(1, 2).flatten(0, 1)
    masks = softmax_of_channels(SHARPNESS * layers.colours(images))[:, 1:].unflatten(0, (count, length))
    centres = centroids(masks.flatten(0, 1)).unflatten(0, (count, length))
    moved = torch.from_numpy(np.stack([_motions(clip) for clip in clips])).to(device).flatten(0, 1)
    actions = np.stack([np.stack((clip.actions[1:], clip.actions[:-1]), axis=1) for clip in clips])
    led = torch.from_numpy(actions).to(device).flatten(0, 1)
    last = (centres[:, 1:, -1] - centres[:, :-1, -1]).flatten(0, 1)
    masks, centre = masks[:, 1:].flatten(0, 1), centres[:, 1:].flatten(0, 1)
    still = torch.from_numpy(rng.random(len(last)) < _STILL_SHARE).to(device)
    last[still], led[still, 1] = 0.0, led[still, 0]
    motion, others = moved[:, -1, :2], range(layers.count - 1)
    seen = torch.empty(len(motion), len(others), FEATURES, dtype=torch.float16, device=device)
    pushed = torch.empty(len(motion), len(others), 3, device=device)
    for k in others:
        seen[:, k] = features(masks[:, k], centre[:, k], centre[:, -1], motion)
        pushed[:, k] = to_push(moved[:, k], motion)
    return centre[:, -1], last, motion, led, seen, pushed


def _motions(clip: Clip) -> NDArray[np.float32]:
    if clip.motions is None:
        raise InputError("layer_fit", "of clips without known motions", "leave it out of the configuration")
    return clip.motions
