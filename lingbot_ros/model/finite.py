"""Weights must be finite: one NaN makes every image of a model black, and nothing else says so."""

from collections.abc import Mapping

import torch
from torch import Tensor

from lingbot_ros.errors import ModelError

_LISTED = 3


def require_finite(tensors: Mapping[str, Tensor], what: str, fix: str) -> None:
    """Raise ModelError naming the tensors that hold NaN or infinity; `what` names the file or the network."""
    bad = [name for name, tensor in tensors.items() if not is_finite(tensor)]
    if bad:
        more = f" and {len(bad) - _LISTED} more" if len(bad) > _LISTED else ""
        raise ModelError(f"{what}: {', '.join(bad[:_LISTED])}{more} hold NaN or infinity; {fix}")


def is_finite(tensor: Tensor) -> bool:
    """Whether every number of a tensor is. Integers are; NaN spreads through minimum and maximum."""
    if not tensor.is_floating_point() or tensor.numel() == 0 or tensor.is_meta:
        return True
    numbers = tensor.float() if tensor.element_size() == 1 else tensor  # 8-bit floats know no minimum
    return bool(torch.stack(torch.aminmax(numbers.detach())).isfinite().all())
