"""Which parts a card's model is made of. The only place that tells pixel models from the released family."""

from dataclasses import replace
from pathlib import Path

import torch

from lingbot_ros.checkpoints.autoencoder import load_wan_autoencoder
from lingbot_ros.checkpoints.cards import ModelCard
from lingbot_ros.checkpoints.files import ModelFiles
from lingbot_ros.checkpoints.light_decoder import load_light_decoder
from lingbot_ros.checkpoints.tensors import file_sha256
from lingbot_ros.checkpoints.text_encoder import load_text_encoder
from lingbot_ros.control.actions import ActionControl
from lingbot_ros.control.camera import CameraControl, Lens
from lingbot_ros.engine.graphs import GraphShape
from lingbot_ros.errors import InputError
from lingbot_ros.model.autoencoder import Autoencoder, Decoder, PixelAutoencoder
from lingbot_ros.model.condition import Condition, FirstFrame, PreviousFrames
from lingbot_ros.model.config import ActionControlConfig, RayControlConfig
from lingbot_ros.model.geometry import SPATIAL_STRIDE
from lingbot_ros.model.sampler import FewStepSampler, SamplerConfig
from lingbot_ros.model.text_encoder import TextEncoder
from lingbot_ros.model.token_share import TokenShare
from lingbot_ros.model.unipc import UniPCSampler
from lingbot_ros.model.wan_autoencoder import WanAutoencoder

Control = ActionControl | CameraControl


def graph_shape(card: ModelCard, dtype: torch.dtype, share: TokenShare | None = None) -> GraphShape:
    """The static sizes of a model whose linears run in `dtype`.

    Raises InputError for a `share` into which the model cannot be cut.
    """
    stride = SPATIAL_STRIDE if card.autoencoder == "wan" else 1
    shape = GraphShape(card.transformer, card.stream, card.height // stride, card.width // stride, dtype)
    if share is None:
        return shape
    if card.autoencoder != "wan":
        raise InputError("processes", share.count, f"{card.name} is small; run it in one process")
    share.check(shape.tokens_per_frame, shape.transformer.num_heads)
    return replace(shape, processes=share.count)


def check_size(card: ModelCard) -> None:
    """Raise InputError unless whole patches of latent cells fill the card's frame."""
    _, rows, columns = card.transformer.patch_size
    stride = SPATIAL_STRIDE if card.autoencoder == "wan" else 1
    if min(card.height, card.width) < 1 or card.height % (rows * stride) or card.width % (columns * stride):
        fix = f"give a height in multiples of {rows * stride} and a width in multiples of {columns * stride} pixels"
        raise InputError("size", f"{card.height} x {card.width}", fix)


def load_autoencoder(card: ModelCard, files: ModelFiles, device: str) -> Autoencoder:
    """Video autoencoders compute in float32, as the released pipeline does (model_spec 2.1)."""
    if card.autoencoder == "pixel":
        return PixelAutoencoder(device)
    assert files.autoencoder is not None
    return load_wan_autoencoder(files.autoencoder, device, torch.float32)


def choose_decoder(autoencoder: Autoencoder, light: Path | None, device: str) -> tuple[Decoder, str]:
    """What makes frames, and what to add to the digest of the weights: the autoencoder and nothing, or a light one."""
    if light is None:
        return autoencoder, ""
    assert isinstance(autoencoder, WanAutoencoder)
    # In 16 bits float16 is the exact one: the activations are small (model_spec 5.7).
    dtype = torch.float16 if device.startswith("cuda") else torch.float32
    return load_light_decoder(light, device, dtype, autoencoder.denormalize), f"+{file_sha256(light)}"


def load_text(card: ModelCard, files: ModelFiles, device: str, dtype: torch.dtype) -> TextEncoder | None:
    """The text encoder of models that take text."""
    if card.transformer.text is None:
        return None
    assert files.text_encoder is not None and files.tokenizer is not None
    return load_text_encoder(files.text_encoder, files.tokenizer, card.transformer.text, device, dtype)


def new_sampler(card: ModelCard) -> FewStepSampler | UniPCSampler:
    """How chunks are sampled."""
    if isinstance(card.sampler, SamplerConfig):
        return FewStepSampler(card.sampler, card.transformer.prediction)
    return UniPCSampler(card.sampler)


def new_condition(card: ModelCard, autoencoder: Autoencoder) -> Condition:
    """What a session's images tell its next chunk."""
    if isinstance(autoencoder, WanAutoencoder):
        is_one_clip = card.stream.window == card.stream.chunk
        return FirstFrame(autoencoder, card.stream.chunk, is_one_clip)
    return PreviousFrames(card.transformer.condition_channels // card.transformer.latent_channels)


def new_control(card: ModelCard, device: str, lens: Lens | None = None) -> Control:
    """`lens` is that of a new session of a camera model; restored and forked ones bring theirs."""
    config = card.architecture.control
    if config is None or isinstance(config, RayControlConfig):
        return CameraControl(config, card.stream.chunk, card.height, card.width, device, lens)
    assert isinstance(config, ActionControlConfig)
    return ActionControl(card.control, config.history)
