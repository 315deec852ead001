"""How a training run computes: device, arithmetic, compilation, loading."""

import importlib.util
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch

from lingbot_ros.errors import EngineError, InputError
from lingbot_ros.model.transformer import CausalWorldTransformer

PRECISIONS = ("bf16", "f32")
_BF16_FLAGS = {"avx512_bf16", "amx_bf16", "bf16"}
"""Of processors that compute in bf16: x86 and ARM. On others bf16 is emulated and takes twice the time of f32."""


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


def default_precision(device: str, cpuinfo: Path = Path("/proc/cpuinfo")) -> Literal["bf16", "f32"]:
    """bf16 on a GPU and on a CPU that computes in it, else f32."""
    if not device.startswith("cpu"):
        return "bf16"
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return "f32"
    flags = {flag for line in lines if line.lower().startswith(("flags", "features")) for flag in line.split()}
    return "bf16" if flags & _BF16_FLAGS else "f32"


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
