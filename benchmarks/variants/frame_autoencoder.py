"""A small frame autoencoder (8x, 8 channels) whose latents are kept in 8 bits, as images are."""

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from lingbot_ros.training.pool import Clip, ClipSource, to_float

CHANNELS = 8
_WIDTHS = (16, 32, 64, 64)


class FrameAutoencoder:
    """Images uint8 [N, 96, 96, 3] <-> latents uint8 [N, 12, 12, CHANNELS]."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.network = AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * len(_WIDTHS),
            up_block_types=("UpDecoderBlock2D",) * len(_WIDTHS),
            block_out_channels=_WIDTHS,
            latent_channels=CHANNELS,
            norm_num_groups=8,
        )

    def train(self, source: ClipSource, background: NDArray[np.uint8], frames: int, foreground_weight: float) -> None:
        """Learn to reproduce `frames` images, 60 at a time, with the weighting of the world models' own loss."""
        rng, batch = np.random.default_rng(0), 60
        optimizer = torch.optim.AdamW(self.network.parameters(), lr=1e-3)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=frames // batch)
        empty = _images(background[None])
        for _ in tqdm(range(frames // batch), desc="autoencoder"):
            clips = [source.sample(rng).frames for _ in range(batch // 12 + 1)]
            pictures = _images(np.concatenate(clips)[rng.permutation(len(clips) * len(clips[0]))[:batch]])
            with torch.autocast("cpu", torch.bfloat16):
                latents = bounded(self.network.encode(pictures).latent_dist.mode())
                # The noise is that of 8 bits and of a world model that is not exact.
                made = self.network.decode(latents + 0.02 * torch.randn_like(latents)).sample.float()
            foreground = ((pictures - empty).abs().amax(dim=1, keepdim=True) > 0.1).float()
            weight = 1 + foreground_weight * F.max_pool2d(foreground, 9, stride=1, padding=4)
            loss = (weight * F.smooth_l1_loss(made, pictures, beta=0.1, reduction="none")).mean()
            loss.backward()
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            schedule.step()

    @torch.no_grad()
    def encode(self, frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
        latents = bounded(self.network.encode(_images(frames)).latent_dist.mode())
        quantised = ((latents + 1) * 127.5).round().to(torch.uint8)
        return quantised.permute(0, 2, 3, 1).numpy()

    @torch.no_grad()
    def decode(self, latents: NDArray[np.uint8]) -> NDArray[np.uint8]:
        made = self.network.decode(_images(latents)).sample
        return ((made + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).numpy()


class LatentClips:
    """Clips whose frames are latents."""

    def __init__(self, source: ClipSource, autoencoder: FrameAutoencoder) -> None:
        self._source, self._autoencoder = source, autoencoder

    def sample(self, rng: np.random.Generator) -> Clip:
        clip = self._source.sample(rng)
        return Clip(self._autoencoder.encode(clip.frames), clip.actions, clip.motions)


def bounded(latents: Tensor) -> Tensor:
    """To -1..1, so that 8 bits hold them."""
    return torch.tanh(latents.float() / 3)


def _images(frames: NDArray[np.uint8]) -> Tensor:
    return to_float(frames[None])[0].transpose(0, 1)
