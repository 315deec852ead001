"""Linear maps in float32, whatever the rest of a network computes in: bf16 cannot tell a fraction of a pixel."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def linear_float32(layer: nn.Linear, x: Tensor) -> Tensor:
    """`layer`, of any stored precision, applied in float32 also where autocast computes in less."""
    if torch.onnx.is_in_onnx_export() or not torch.is_autocast_enabled(x.device.type):
        return F.linear(x.float(), layer.weight.float(), layer.bias.float())
    with torch.autocast(x.device.type, enabled=False):
        return F.linear(x.float(), layer.weight.float(), layer.bias.float())
