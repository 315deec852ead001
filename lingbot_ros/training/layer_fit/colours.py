"""Whose a pixel is, learned from the data's own labels."""

import numpy as np
import torch
from tqdm import tqdm

from lingbot_ros.model.rigid_layers.rigid_layers import RigidLayers
from lingbot_ros.training.layer_loss import PartReader, owner_loss
from lingbot_ros.training.pool import ClipSource, to_float

_CLIPS = 400
_IMAGES_AT_ONCE = 16
MOST_ITERATIONS = 800
_LEARNING_RATE = 5e-3


def fit_colours(
    layers: RigidLayers, source: ClipSource, parts: PartReader, iterations: int, seed: int, device: torch.device
) -> None:
    """Teach `layers.by_colour` to tell the parts of real images, in at most `MOST_ITERATIONS` of the iterations."""
    iterations = min(iterations, MOST_ITERATIONS)
    rng = np.random.default_rng([seed, 2])
    clips = [source.sample(rng).frames for _ in range(_CLIPS)]
    images = torch.from_numpy(np.stack([frames[rng.integers(len(frames))] for frames in clips]))
    optimizer = torch.optim.Adam(layers.by_colour.parameters(), lr=_LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, iterations)
    for _ in tqdm(range(iterations), desc="colours", unit="it"):
        chosen = torch.from_numpy(rng.choice(_CLIPS, _IMAGES_AT_ONCE, replace=False))
        some = to_float(images[chosen, None].to(device)).squeeze(2)
        loss = owner_loss(layers.colours(some), parts(some))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        schedule.step()
