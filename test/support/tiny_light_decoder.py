"""A narrow light decoder with random weights, under the published names."""

from pathlib import Path

import torch
from torch import Tensor

from lingbot_ros.model.light_decoder import build_decoder

WIDTHS = (12, 10, 8, 6)


def light_weights(seed: int = 0, widths: tuple[int, ...] = WIDTHS) -> dict[str, Tensor]:
    """Every tensor of the decoder, loud enough that each one counts."""
    torch.manual_seed(seed)
    state = build_decoder(16, widths, 3).state_dict()
    return {name: torch.randn_like(tensor) * 0.9 * tensor[0].numel() ** -0.5 for name, tensor in state.items()}


def write_light_decoder(folder: Path, name: str = "taew2_1.pth", seed: int = 0) -> Path:
    """With a part of an encoder, as published files have; returns the file."""
    torch.save({**light_weights(seed), "encoder.0.weight": torch.zeros(2, 3, 3, 3)}, folder / name)
    return folder / name
