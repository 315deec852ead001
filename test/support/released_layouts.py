"""Folders laid out and named like the released checkpoints, with tiny seeded weights."""

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from lingbot_ros.model.config import RayControlConfig, TextConfig, TransformerConfig
from lingbot_ros.model.transformer import CausalWorldTransformer

CAMERA = TransformerConfig(
    dim=128, ffn_dim=96, num_layers=2, num_heads=1, text=TextConfig(48, 512), control=RayControlConfig()
)


def random_weights(config: TransformerConfig = CAMERA, seed: int = 0) -> dict[str, Tensor]:
    """Every tensor of the architecture, seeded."""
    torch.manual_seed(seed)
    return {name: tensor.clone() for name, tensor in CausalWorldTransformer(config).state_dict().items()}


def write_shards(
    folder: Path,
    weights: Mapping[str, Tensor],
    count: int = 3,
    stem: str = "diffusion_pytorch_model",
    index: str | None = "diffusion_pytorch_model.safetensors.index.json",
) -> Path:
    """`count` shards, and an index unless its name is None; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    names = list(weights)
    weight_map = {}
    for number in range(count):
        file = f"{stem}-{number + 1:05d}-of-{count:05d}.safetensors"
        part = names[number::count]
        save_file({name: weights[name].contiguous() for name in part}, folder / file)
        weight_map |= dict.fromkeys(part, file)
    if index is not None:
        size = sum(tensor.numel() * tensor.element_size() for tensor in weights.values())
        (folder / index).write_text(json.dumps({"metadata": {"total_size": size}, "weight_map": weight_map}))
    return folder


def add_companions(root: Path) -> Path:
    """Files named like the original text encoder, autoencoder and tokenizer; their contents are not looked at."""
    torch.save({"token_embedding.weight": torch.zeros(2, 2)}, root / "models_t5_umt5-xxl-enc-bf16.pth")
    torch.save({"conv1.weight": torch.zeros(2, 2)}, root / "Wan2.1_VAE.pth")
    (root / "google" / "umt5-xxl").mkdir(parents=True)
    return root
