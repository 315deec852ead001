"""The Wan2.1 video autoencoder as a stream: diffusers' modules, one latent frame at a time (model_spec 2.1, 5.6)."""

import hashlib
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from lingbot_ros.model.autoencoder import DecoderState, EncoderState, Frames, frames_to_pixels
from lingbot_ros.model.geometry import TEMPORAL_STRIDE, frames_of_latents

# A temporal up-sampler marks its first call by this word in its cache; an empty tensor stands for it in a state.
_CALLED_ONCE = "Rep"


class WanAutoencoder:
    """Latents are normalised per channel, as the transformer sees them; frames are uint8 RGB."""

    encodes_frames_alone = False

    def __init__(self, network: Any, device: str, dtype: torch.dtype) -> None:
        """`network` is an `AutoencoderKLWan` on the device, in this dtype."""
        self.network, self._device, self._dtype = network, device, dtype
        shape = (1, -1, 1, 1, 1)
        self._mean = torch.tensor(network.config.latents_mean, device=device).view(shape)
        self._std = torch.tensor(network.config.latents_std, device=device).view(shape)
        counts = network._cached_conv_counts
        self._encoder_slots, self._decoder_slots = counts["encoder"], counts["decoder"]
        self._image_latents: WeakValueDictionary[str, ImageLatents] = WeakValueDictionary()

    def fit(self, image: Frames, height: int, width: int) -> Tensor:
        """As released: bicubic straight to the size, without antialiasing, overshoot kept (model_spec 3.1)."""
        pixels = torch.from_numpy(np.ascontiguousarray(image)).to(self._device).permute(2, 0, 1)
        scaled = (pixels.float() / 255 - 0.5) / 0.5
        resized = F.interpolate(scaled[None], (height, width), mode="bicubic", align_corners=False)
        return resized[:, :, None]

    def image_latents(self, image: Tensor) -> "ImageLatents":
        """The latents of an image [1, 3, 1, H, W] and the empty frames after it, shared by all who hold them."""
        key = hashlib.sha256(image.cpu().contiguous().numpy().data).hexdigest()
        latents = self._image_latents.get(key)
        if latents is None:
            latents = self._image_latents[key] = ImageLatents(self, image)
        return latents

    def encode(self, frames: Frames, state: EncoderState) -> tuple[Tensor, EncoderState]:
        """From 1 + 4k frames with an empty state, later from 4k."""
        pixels = frames_to_pixels(frames, self._device)
        first = 0 if state else 1
        latents = []
        for group in (*pixels[:, :, :first].split(1, dim=2), *pixels[:, :, first:].split(TEMPORAL_STRIDE, dim=2)):
            if group.shape[2]:
                latent, state = self.encode_next(group, state)
                latents.append(latent)
        return torch.cat(latents, dim=2), state

    @torch.inference_mode()
    def encode_next(self, pixels: Tensor, state: EncoderState) -> tuple[Tensor, EncoderState]:
        """The next latent frame [1, C, 1, h, w] of a clip: from 1 pixel frame with an empty state, later from 4.

        pixels [1, 3, n, H, W] in -1..1; the result is the encoder's mean, normalised.
        """
        slots = _to_slots(state, self._encoder_slots)
        features = self.network.encoder(pixels.to(self._device, self._dtype), feat_cache=slots, feat_idx=[0])
        mean = self.network.quant_conv(features).chunk(2, dim=1)[0]
        return (mean.float() - self._mean) / self._std, _to_state(slots)

    def start(self) -> DecoderState:
        return {}

    @torch.inference_mode()
    def decode(self, latents: Tensor, state: DecoderState) -> tuple[Frames, DecoderState]:
        pixels, state = self.decode_pixels(latents, state)
        return _video_frames(pixels), state

    @torch.inference_mode()
    def decode_pixels(self, latents: Tensor, state: DecoderState) -> tuple[Tensor, DecoderState]:
        """Latents [1, C, c, h, w] -> float32 [1, 3, n, H, W], not clamped, and the state for the next chunk."""
        unscaled = self.denormalize(latents.to(self._device).float()).to(self._dtype)
        unscaled = self.network.post_quant_conv(unscaled)
        frames = []
        for latent in unscaled.split(1, dim=2):
            slots = _to_slots(state, self._decoder_slots)
            frames.append(self.network.decoder(latent, feat_cache=slots, feat_idx=[0], first_chunk=not state))
            state = _to_state(slots)
        return torch.cat(frames, dim=2).float(), state

    def denormalize(self, latents: Tensor) -> Tensor:
        """Latents [1, C, c, h, w] as the encoder made them."""
        return latents * self._std + self._mean

    def frames_of_chunk(self, chunk: int, chunk_index: int) -> int:
        return frames_of_latents(chunk) if chunk_index == 0 else TEMPORAL_STRIDE * chunk


def _video_frames(pixels: Tensor) -> Frames:
    """float32 [1, 3, n, H, W], clamped to -1..1 -> uint8 [n, H, W, 3], cut off as in released films (2.1)."""
    values = ((pixels[0].clamp(-1, 1) + 1) / 2 * 255).to(torch.uint8)
    return values.permute(1, 2, 3, 0).contiguous().cpu().numpy()


class ImageLatents:
    """Latents of a clip whose first frame is an image and whose others are 0 (mid-grey), computed when first needed.

    The encoder sees a finite past, so its state, and with it the latents, stop changing in time (model_spec 3.1).
    """

    def __init__(self, autoencoder: WanAutoencoder, image: Tensor) -> None:
        """The image, [1, 3, 1, H, W] in -1..1."""
        self._autoencoder = autoencoder
        latent, self._state = autoencoder.encode_next(image, {})
        self._latents = [latent]
        self._empty = torch.zeros_like(image).expand(-1, -1, TEMPORAL_STRIDE, -1, -1)
        self._is_constant = False

    def frames(self, first: int, count: int) -> Tensor:
        """Latent frames `first` ... of the clip, [1, C, count, h, w]."""
        while len(self._latents) < first + count and not self._is_constant:
            self._encode_next()
        last = len(self._latents) - 1
        return torch.cat([self._latents[min(index, last)] for index in range(first, first + count)], dim=2)

    def _encode_next(self) -> None:
        latent, state = self._autoencoder.encode_next(self._empty, self._state)
        self._is_constant = all(
            torch.equal(tensor, self._state.get(name, torch.empty(0, device=tensor.device)))
            for name, tensor in state.items()
        )
        self._latents.append(latent)
        self._state = {} if self._is_constant else state


def _to_slots(state: DecoderState, count: int) -> list[Tensor | str | None]:
    found = [state.get(str(slot)) for slot in range(count)]
    return [_CALLED_ONCE if tensor is not None and not tensor.numel() else tensor for tensor in found]


def _to_state(slots: list[Tensor | str | None]) -> DecoderState:
    return {
        str(slot): torch.empty(0) if isinstance(value, str) else value
        for slot, value in enumerate(slots)
        if value is not None
    }
