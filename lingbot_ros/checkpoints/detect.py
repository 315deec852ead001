"""Detects the architecture of a checkpoint from its tensors, and compares it with config.json if there is one."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lingbot_ros.checkpoints.layout import find_config
from lingbot_ros.errors import ModelError
from lingbot_ros.model.config import RayControlConfig, TextConfig, TransformerConfig

HEAD_DIM = 128
"""The value of every released model; shapes do not determine it (model_spec 1.2)."""

CONTROL_WEIGHT = "patch_embedding_wancamctrl.weight"


def ray_channels(shapes: Mapping[str, tuple[int, ...]], patch: tuple[int, int, int], fold: int = 8) -> int:
    """6 (origin, direction) or 7 (direction, WASD), from the input width of the control embedding (model_spec 1.3).

    Raises ModelError when there is no such embedding, as in a plain Wan checkpoint, or when its width is another.
    """
    if CONTROL_WEIGHT not in shapes:
        raise ModelError(f"weights: they have no {CONTROL_WEIGHT}; this is a video model without camera control")
    width = shapes[CONTROL_WEIGHT][-1]
    cell = fold**2 * patch[1] * patch[2]
    if width not in (6 * cell, 7 * cell):
        raise ModelError(f"weights: {CONTROL_WEIGHT} reads {width} features; known are {6 * cell} and {7 * cell}")
    return width // cell


def detect_architecture(shapes: Mapping[str, tuple[int, ...]], head_dim: int = HEAD_DIM) -> TransformerConfig:
    """The architecture of a transformer of the family from its released names; raises ModelError if it is none."""
    needed = ("patch_embedding.weight", "head.head.weight", "blocks.0.ffn.0.weight", "text_embedding.0.weight")
    for name in (*needed, "time_embedding.0.weight"):
        if name not in shapes:
            raise ModelError(f"weights: they have no {name}; this is not a transformer of the LingBot-World family")
    dim, in_channels, *_ = shapes["patch_embedding.weight"]
    patch = tuple(shapes["patch_embedding.weight"][2:])
    if len(patch) != 3 or patch[0] != 1 or dim % head_dim:
        raise ModelError(f"weights: patch_embedding.weight is {list(shapes['patch_embedding.weight'])}; unknown model")
    blocks = {int(name.split(".")[1]) for name in shapes if name.startswith("blocks.")}
    channels = shapes["head.head.weight"][0] // (patch[1] * patch[2])
    return TransformerConfig(
        dim=dim,
        ffn_dim=shapes["blocks.0.ffn.0.weight"][0],
        num_layers=max(blocks) + 1,
        num_heads=dim // head_dim,
        latent_channels=channels,
        condition_channels=in_channels - channels,
        patch_size=patch,
        freq_dim=shapes["time_embedding.0.weight"][1],
        text=TextConfig(width=shapes["text_embedding.0.weight"][1]),
        control=RayControlConfig(ray_channels(shapes, patch)),
    )


def check_config(config: TransformerConfig, files: Sequence[Path]) -> None:
    """Raise ModelError naming a value in which the checkpoint's own config.json differs; it may have none."""
    stored = find_config(tuple(files))
    if stored is None:
        return
    for key, value in _expected(config).items():
        if key in stored and stored[key] != value:
            raise ModelError(
                f"weights: the config.json of {files[0].parent} says {key} = {stored[key]}, the card {value}; "
                "use the weights that belong to this card"
            )


def _expected(config: TransformerConfig) -> dict[str, Any]:
    """The keys of the original and of the diffusers config that decide about shapes and heads."""
    in_channels = config.latent_channels + config.condition_channels
    return {
        "dim": config.dim,
        "num_heads": config.num_heads,
        "num_attention_heads": config.num_heads,
        "attention_head_dim": config.head_dim,
        "ffn_dim": config.ffn_dim,
        "num_layers": config.num_layers,
        "freq_dim": config.freq_dim,
        "in_dim": in_channels,
        "in_channels": in_channels,
        "out_dim": config.latent_channels,
        "out_channels": config.latent_channels,
    }
