"""The precisions a model can run in, and the types behind their names."""

import torch

from lingbot_ros.errors import InputError

PRECISIONS = {
    "f32": torch.float32,
    "bf16": torch.bfloat16,
    "f16": torch.float16,
    "int8": torch.bfloat16,
    "fp8": torch.bfloat16,
}
"""The type of the arithmetic and of the caches. An engine may use another: ask `Engine.dtype`."""

STORAGE = {"int8": torch.int8, "fp8": torch.float8_e4m3fn}
"""Precisions that keep the weights of the blocks' linears in another type and widen them when they are used."""


def check_precision(precision: str) -> str:
    """The name, if it is one; else InputError."""
    if precision not in PRECISIONS:
        raise InputError("precision", precision, f"use one of {', '.join(PRECISIONS)}")
    return precision
