"""A light decoder of Wan2.1 latents, for previews: TAEHV as published, `taew2_1` and `lighttaew2_1` (model_spec 5.7).

Everything is 2D convolutions; time is in blocks that also see their own input of one frame before, and in 1x1
convolutions that make two frames of one. Parameter names are those of the published files.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lingbot_ros.model.autoencoder import DecoderState, Frames, pixels_to_frames
from lingbot_ros.model.geometry import TEMPORAL_STRIDE

_TIMES = (1, 2, 2)
"""Frames that each of the three up-samplings makes of one."""


class SoftClamp(nn.Module):
    """Keeps latents within -3..3 without a corner."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(x / 3) * 3


class MemoryBlock(nn.Module):
    """Three convolutions over a frame and the one before it, [n, C, h, w] each, with a skip connection."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(2 * channels, channels, 3, padding=1)]
        for _ in range(2):
            layers += [nn.ReLU(), nn.Conv2d(channels, channels, 3, padding=1)]
        self.conv = nn.Sequential(*layers)

    def forward(self, x: Tensor, before: Tensor) -> Tensor:
        return F.relu(self.conv(torch.cat((x, before), dim=1)) + x)


class Grow(nn.Module):
    """[n, C, h, w] -> [times * n, C, h, w], in time order."""

    def __init__(self, channels: int, times: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels * times, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x).unflatten(1, (-1, x.shape[1])).flatten(0, 1)


def build_decoder(latent_channels: int, widths: tuple[int, ...], outputs: int) -> nn.Module:
    """The published layers in the published order, under the name `decoder`."""
    layers: list[nn.Module] = [SoftClamp(), nn.Conv2d(latent_channels, widths[0], 3, padding=1), nn.ReLU()]
    for stage, times in enumerate(_TIMES):
        width, following = widths[stage], widths[stage + 1]
        layers += [MemoryBlock(width) for _ in range(3)]
        layers += [nn.Upsample(scale_factor=2), Grow(width, times)]
        layers += [nn.Conv2d(width, following, 3, padding=1, bias=False)]
    layers += [nn.ReLU(), nn.Conv2d(widths[-1], outputs, 3, padding=1)]
    network = nn.Module()
    network.decoder = nn.Sequential(*layers)
    return network


class LightDecoder:
    """Streams latents to frames; the first latent frame of a stream is one frame, every other is four."""

    def __init__(
        self, network: nn.Module, device: str, dtype: torch.dtype, prepare: Callable[[Tensor], Tensor]
    ) -> None:
        """`network` of `build_decoder` on the device; `prepare` makes of normalised latents what it was trained on."""
        self.layers: nn.Sequential = network.decoder  # type: ignore[assignment]
        self._device, self._dtype, self.prepare = device, dtype, prepare

    def start(self) -> DecoderState:
        return {}

    @torch.inference_mode()
    def decode(self, latents: Tensor, state: DecoderState) -> tuple[Frames, DecoderState]:
        """Normalised latents [1, C, c, h, w] -> the chunk's frames and the state for the next chunk."""
        prepared = self.prepare(latents.to(self._device).float()).to(self._dtype)
        pixels = []
        for latent in prepared.unbind(2):  # one by one: what a chunk is cut into changes no bit
            frames, after = self.decode_one(latent, state)
            pixels.append(frames if state else frames[TEMPORAL_STRIDE - 1 :])
            state = after
        values = torch.cat(pixels).float().transpose(0, 1)[None]
        return pixels_to_frames(values.clamp(0, 1) * 2 - 1), state

    def decode_one(self, x: Tensor, state: DecoderState) -> tuple[Tensor, DecoderState]:
        """One latent frame [1, C, h, w] -> four frames [4, 3, H, W] in 0..1; the state is each block's last input."""
        after: DecoderState = {}
        for index, layer in enumerate(self.layers):
            if isinstance(layer, MemoryBlock):
                last = state.get(str(index), torch.zeros_like(x[:1]))
                after[str(index)] = x[-1:].clone()
                x = layer(x, torch.cat((last, x[:-1])))
            else:
                x = layer(x)
        return x, after
