"""Folders of tiny models with seeded random weights, made by the real classes and loaded by the real loader."""

from dataclasses import replace
from pathlib import Path

import torch
import yaml

from lingbot_ros.checkpoints.architecture import to_plain
from lingbot_ros.checkpoints.tensors import file_sha256
from lingbot_ros.checkpoints.weights import save_transformer
from lingbot_ros.model.config import ActionControlConfig, PixelConfig, StreamConfig, TransformerConfig
from lingbot_ros.model.sampler import SamplerConfig
from lingbot_ros.model.transformer import CausalWorldTransformer

ONE_STEP = SamplerConfig(timesteps=(999.0,), sigmas=(1.0,), commit=False)
FOUR_STEP_COMMIT = SamplerConfig(
    timesteps=(999.0, 937.0, 833.0, 624.0),
    sigmas=(0.9998, 0.9379, 0.8336, 0.6247),
    renoise=(0.9376, 0.8331, 0.6247),
)

ONE_BY_ONE = StreamConfig(chunk=1, window=4)

MOTION = TransformerConfig(
    dim=48,
    ffn_dim=96,
    num_layers=2,
    num_heads=2,
    latent_channels=3,
    condition_channels=6,
    patch_size=(1, 16, 16),
    freq_dim=32,
    control=ActionControlConfig(dim=2, history=2, image_plane=True, bands=3),
    pixel=PixelConfig(channels=(8, 12)),
    prediction="motion",
)
"""A one-step pixel model that displaces every pixel of the last image."""

LAYERS = replace(MOTION, prediction="layers", moving_layers=2)
"""A one-step pixel model like the shipped one."""

VELOCITY = TransformerConfig(
    dim=48,
    ffn_dim=96,
    num_layers=2,
    num_heads=2,
    latent_channels=3,
    condition_channels=3,
    patch_size=(1, 8, 8),
    freq_dim=32,
    control=ActionControlConfig(dim=2, history=1),
)
"""A few-step flow model with a linear patch embedding, as the released ones are."""


def random_transformer(config: TransformerConfig, seed: int = 0) -> CausalWorldTransformer:
    """Seeded weights; what training starts from at one or zero is random too, as it would hide mistakes."""
    torch.manual_seed(seed)
    model = CausalWorldTransformer(config).eval().requires_grad_(False)
    for name, parameter in model.named_parameters():
        if "pixel_head.up_full" in name or name.startswith(("layers.refine.", "layers.meet.")):
            parameter.copy_(torch.randn_like(parameter) * 0.02)
        elif "norm" in name:
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return model


def write_tiny_model(
    folder: Path,
    name: str = "tiny",
    config: TransformerConfig = MOTION,
    sampler: SamplerConfig = ONE_STEP,
    stream: StreamConfig = ONE_BY_ONE,
    size: int = 32,
    fps: float = 10.0,
    seed: int = 0,
    task: str | None = None,
) -> Path:
    """Write `folder/name` with card and weights; returns that path."""
    path = folder / name
    path.mkdir(parents=True)
    weights = path / "model.safetensors"
    save_transformer(random_transformer(config, seed), weights, torch.float32)
    card = {
        "name": name,
        "summary": "random weights, for tests",
        "family": "lingbot-small",
        "licence": "Apache-2.0",
        "height": size,
        "width": size,
        "fps": fps,
        "control": {"kind": "action", "dim": 2, "names": ["x", "y"], "low": [0.0, 0.0], "high": [512.0, 512.0]},
        "architecture": to_plain(config),
        "stream": to_plain(stream),
        "sampler": to_plain(sampler),
        "autoencoder": "pixel",
        "task": task,
        "weights": {"file": weights.name, "sha256": file_sha256(weights), "bytes": weights.stat().st_size},
    }
    (path / "card.yaml").write_text(yaml.safe_dump(card, sort_keys=False))
    return path
