"""Training of the reader of prompts on generated sentences: half a minute of one core."""

import numpy as np
import torch

from lingbot_ros.model.scene.event_reader import EventReader
from lingbot_ros.training.scene.phrasings import draw_phrasing

ITERATIONS = 1000
_BATCH = 64


def train_event_reader(seed: int, iterations: int = ITERATIONS) -> EventReader:
    """A reader from nothing; the same seed gives the same one."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        reader = EventReader()
    optimizer = torch.optim.AdamW(reader.parameters(), lr=3e-3, weight_decay=0.01)
    decay = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, iterations)
    rng = np.random.default_rng([seed, 3])
    for _ in range(iterations):
        texts, events = zip(*(draw_phrasing(rng) for _ in range(_BATCH)), strict=True)
        optimizer.zero_grad()
        torch.autograd.backward(reader.loss(list(texts), list(events)))
        optimizer.step()
        decay.step()
    return reader.requires_grad_(False).eval()
