"""Between images and latents. For pixel models the latent is the image itself, scaled to -1..1."""

from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Frames = NDArray[np.uint8]
"""[n, H, W, 3] RGB."""

DecoderState = dict[str, Tensor]
"""What a streaming decoder carries from chunk to chunk; never changed in place, so that a fork may share it."""


class Autoencoder(Protocol):
    """Streams chunks of latents to frames; the state belongs to the session."""

    def encode(self, frames: Frames) -> Tensor:
        """uint8 [n, H, W, 3] -> latents float32 [1, C, f, h, w]."""

    def start(self) -> DecoderState:
        """The state before the first chunk."""

    def decode(self, latents: Tensor, state: DecoderState) -> tuple[Frames, DecoderState]:
        """Latents [1, C, c, h, w] -> the chunk's frames and the state for the next chunk."""

    def frames_of_chunk(self, chunk: int, chunk_index: int) -> int:
        """Pixel frames that `chunk` latent frames decode to."""


class PixelAutoencoder:
    """The identity up to scaling: one latent frame is one image."""

    def __init__(self, device: str) -> None:
        self._device = device

    def encode(self, frames: Frames) -> Tensor:
        pixels = torch.from_numpy(np.ascontiguousarray(frames)).to(self._device)
        return (pixels.permute(3, 0, 1, 2).float() / 127.5 - 1)[None]

    def start(self) -> DecoderState:
        return {}

    def decode(self, latents: Tensor, state: DecoderState) -> tuple[Frames, DecoderState]:
        pixels = ((latents[0].float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
        return pixels.permute(1, 2, 3, 0).contiguous().cpu().numpy(), state

    def frames_of_chunk(self, chunk: int, chunk_index: int) -> int:
        return chunk
