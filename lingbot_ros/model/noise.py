"""The noise of chunk k as a function of (seed, k, draw) alone, the same on every machine and engine."""

import numpy as np
import torch
from torch import Tensor


def chunk_noise(seed: int, chunk_index: int, draw: int, shape: tuple[int, ...]) -> Tensor:
    """Standard normal float32 on the CPU. Counter-based (Philox), so forks and restores need no generator state.

    `draw` counts the noise tensors of one chunk: 0 starts it, 1, 2, ... re-noise it between steps.
    """
    key = np.array([seed % 2**64, chunk_index], dtype=np.uint64)
    counter = np.array([0, 0, 0, draw], dtype=np.uint64)
    generator = np.random.Generator(np.random.Philox(key=key, counter=counter))
    return torch.from_numpy(generator.standard_normal(shape, dtype=np.float32))
