"""Linears whose weights are stored in 8 bits and widened when used: half the memory of bf16, the same arithmetic.

Only the linears of the blocks are stored so; they are 99 % of a large model. Embeddings, norms, modulation and head
decide about more than they weigh.
"""

import re

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LARGEST = {torch.int8: 127.0, torch.float8_e4m3fn: 448.0}
"""The largest magnitude of each storage type."""

_BLOCK_LINEAR = re.compile(r"blocks\.\d+\.(self_attn|cross_attn)\.[qkvo]|blocks\.\d+\.(ffn\.[02]|cam_\w+)")


class WeightOnlyLinear(nn.Module):
    """y = (x q^T) * scale + bias, with q [out, in] of 8 bits and one float32 scale per output."""

    def __init__(self, in_features: int, out_features: int, storage: torch.dtype) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(out_features, in_features, dtype=storage), requires_grad=False)
        self.scale = nn.Parameter(torch.empty(out_features), requires_grad=False)
        self.bias = nn.Parameter(torch.empty(out_features), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight.to(x.dtype)) * self.scale.to(x.dtype) + self.bias.to(x.dtype)


def is_quantized(name: str) -> bool:
    """Whether the released parameter `name` is one of those stored in 8 bits."""
    return name.endswith(".weight") and _BLOCK_LINEAR.fullmatch(name.removesuffix(".weight")) is not None


def quantize(weight: Tensor, storage: torch.dtype) -> tuple[Tensor, Tensor]:
    """weight [out, in] -> the same in 8 bits, and the scale [out] that widens it; a row of zeros stays zeros."""
    weight = weight.float()
    scale = weight.abs().amax(dim=1).clamp_min(torch.finfo(torch.float32).tiny) / LARGEST[storage]
    narrowed = weight / scale[:, None]
    return (narrowed.round() if storage is torch.int8 else narrowed).to(storage), scale


def replace_linears(model: nn.Module, storage: torch.dtype) -> None:
    """Put a `WeightOnlyLinear` in the place of every linear that is stored in 8 bits; weights are loaded afterwards."""
    for name, module in list(model.named_modules()):
        if isinstance(module, nn.Linear) and is_quantized(f"{name}.weight"):
            parent, _, leaf = name.rpartition(".")
            with module.weight.device:
                narrow = WeightOnlyLinear(module.in_features, module.out_features, storage)
            setattr(model.get_submodule(parent), leaf, narrow)
