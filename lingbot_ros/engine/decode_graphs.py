"""Decoders as graphs: one latent frame in, its pixel frames out.

What a decoder carries from frame to frame goes in as `feature_i` and comes out as `next_feature_i`, in another memory:
sessions that were forked share what they carry, and nothing orders an engine's last read before its first write.
"""

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lingbot_ros.engine.interface import GraphSpec, Role, TensorSpec
from lingbot_ros.model.autoencoder import Decoder
from lingbot_ros.model.geometry import SPATIAL_STRIDE, TEMPORAL_STRIDE
from lingbot_ros.model.light_decoder import LightDecoder
from lingbot_ros.model.wan_autoencoder import WanAutoencoder

DECODE_GRAPHS = ("decode_first", "decode")
"""Their names. They compute in float32 whatever the precision of the rest."""

_STEADY_FRAMES = 3
"""After so many latent frames the size of what is carried no longer changes."""

_WITH_TIME = 5
"""Axes of what is carried of several frames: [1, C, frames, h, w]."""

Shapes = Mapping[str, tuple[int, ...]]


def decode_graphs(decoder: Decoder, channels: int, height: int, width: int, weights: str = "") -> list[GraphSpec]:
    """The graphs of a decoder of latents [1, channels, 1, height, width]; none for one that computes nothing.

    `decode` makes four pixel frames of every latent frame, float32 [1, 3, 4, 8 * height, 8 * width] in -1..1, not
    clamped. The first latent frame of a stream is one pixel frame. The Wan autoencoder has a graph `decode_first` for
    it; a light decoder begins with zeros, and of its first four frames the last counts. `weights` is the digest of the
    decoder's file.
    """
    if isinstance(decoder, WanAutoencoder):
        wan, shapes = decoder, _carried(decoder, channels, height, width)
        return [
            _graph(DECODE_GRAPHS[0], channels, height, width, shapes, weights, lambda: _WanGraph(wan, shapes, True)),
            _graph(DECODE_GRAPHS[1], channels, height, width, shapes, weights, lambda: _WanGraph(wan, shapes, False)),
        ]
    if isinstance(decoder, LightDecoder):
        light, shapes = decoder, _carried(decoder, channels, height, width)
        return [_graph(DECODE_GRAPHS[1], channels, height, width, shapes, weights, lambda: _LightGraph(light))]
    return []


def whole_feature(carried: Tensor | str | None, shape: tuple[int, ...]) -> Tensor:
    """What a first frame leaves is shorter or but a word: zeros before it are what the decoder takes it for."""
    if not isinstance(carried, Tensor) or not carried.numel():
        return torch.zeros(shape)
    missing = shape[2] - carried.shape[2] if len(shape) == _WITH_TIME else 0
    return F.pad(carried, (0, 0, 0, 0, missing, 0)) if missing else carried


class _WanGraph(nn.Module):
    def __init__(self, autoencoder: WanAutoencoder, shapes: Shapes, is_first: bool) -> None:
        super().__init__()
        network = autoencoder.network
        self.post_quant_conv, self.decoder = network.post_quant_conv, network.decoder
        self._denormalize, self._shapes, self._is_first = autoencoder.denormalize, shapes, is_first
        self._slots = network._cached_conv_counts["decoder"]

    def forward(self, latent: Tensor, **features: Tensor) -> list[Tensor]:
        cache: list[Tensor | str | None] = [features.get(f"feature_{slot}") for slot in range(self._slots)]
        x = self.post_quant_conv(self._denormalize(latent))
        pixels = self.decoder(x, feat_cache=cache, feat_idx=[0], first_chunk=self._is_first)
        return [pixels, *(whole_feature(cache[int(slot)], shape) for slot, shape in self._shapes.items())]


class _LightGraph(nn.Module):
    def __init__(self, decoder: LightDecoder) -> None:
        super().__init__()
        self.layers, self._decoder = decoder.layers, decoder

    def forward(self, latent: Tensor, **features: Tensor) -> list[Tensor]:
        carried = {name.removeprefix("feature_"): tensor for name, tensor in features.items()}
        frames, after = self._decoder.decode_one(self._decoder.prepare(latent)[:, :, 0], carried)
        return [frames.transpose(0, 1)[None] * 2 - 1, *after.values()]


def _graph(
    name: str,
    channels: int,
    height: int,
    width: int,
    shapes: Shapes,
    weights: str,
    build: Callable[[], nn.Module],
) -> GraphSpec:
    first, float32 = name == DECODE_GRAPHS[0], torch.float32
    frames = 1 if first else TEMPORAL_STRIDE
    tensors = [TensorSpec("latent", (1, channels, 1, height, width), float32, Role.INPUT)]
    if not first:
        tensors += [TensorSpec(f"feature_{slot}", shape, float32, Role.INPUT) for slot, shape in shapes.items()]
    size = (1, 3, frames, SPATIAL_STRIDE * height, SPATIAL_STRIDE * width)
    tensors.append(TensorSpec("pixels", size, float32, Role.OUTPUT))
    tensors += [TensorSpec(f"next_feature_{slot}", shape, float32, Role.OUTPUT) for slot, shape in shapes.items()]
    return GraphSpec(name, tuple(tensors), lambda _: build(), weights=weights, sizes=repr(dict(shapes)))


def _carried(decoder: Decoder, channels: int, height: int, width: int) -> Shapes:
    """Of what is carried, by slot. Measured on a single latent cell: feature maps grow as the image does."""
    _, state = decoder.decode(torch.zeros(1, channels, _STEADY_FRAMES, 1, 1), decoder.start())
    return {
        slot: (*tensor.shape[:-2], tensor.shape[-2] * height, tensor.shape[-1] * width)
        for slot, tensor in state.items()
    }
