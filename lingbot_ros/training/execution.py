"""How a training run computes: device, arithmetic, compilation, loading."""

import importlib.util
import os
import shutil
from dataclasses import dataclass
from typing import Literal

import torch

from lingbot_ros.errors import EngineError, InputError
from lingbot_ros.model.transformer import CausalWorldTransformer

PRECISIONS = ("bf16", "f32")


@dataclass(frozen=True)
class Execution:
    """None of it changes what is learned but by rounding; `loaders` are threads that prepare fresh clips."""

    device: str = "cpu"
    precision: Literal["bf16", "f32"] = "bf16"
    compiled: bool = False
    loaders: int = 0

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise InputError("--precision", self.precision, f"use one of {', '.join(PRECISIONS)}")
        if self.loaders < 0:
            raise InputError("--loaders", self.loaders, "give 0 (clips are read between iterations) or more threads")


def compile_predict(model: CausalWorldTransformer, device: str) -> None:
    """Have what makes every prediction compiled at its first call, for a minute or more; names of parameters stay.

    Raises EngineError where nothing can compile.
    """
    require_compiler(device)
    # The method alone: a compiled module would put a prefix before every name in checkpoints.
    model.predict_layers = torch.compile(model.predict_layers)  # type: ignore[method-assign]


def require_compiler(device: str) -> None:
    """Raise EngineError that says what is missing for `torch.compile` on this device."""
    compiler = os.environ.get("CXX") or "g++"
    if not (shutil.which(compiler) or shutil.which("clang++")):
        raise EngineError(
            f"--compile: no C++ compiler ({compiler}) is on this machine; install one (apt install g++), name it in "
            "the variable CXX, or leave --compile out"
        )
    if device.startswith("cuda") and importlib.util.find_spec("triton") is None:
        raise EngineError("--compile: compiling for a GPU needs the package triton; install it or leave --compile out")
