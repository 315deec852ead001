"""What an engine must offer, and how a graph describes the tensors it reads and writes."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn

from lingbot_ros.errors import InputError
from lingbot_ros.model.attention import Attention


class Role(Enum):
    """What a graph does with a tensor. STATE is updated in place."""

    INPUT = "input"
    STATE = "state"
    OUTPUT = "output"


@dataclass(frozen=True)
class TensorSpec:
    """One tensor by name. `scalar` tensors are a few numbers that the host writes before every forward."""

    name: str
    shape: tuple[int, ...]
    dtype: torch.dtype
    role: Role
    scalar: bool = False

    @property
    def output(self) -> str:
        """The name under which a graph that cannot write in place gives back a STATE: `k_cache_3` as `k_out_3`."""
        return self.name.replace("_cache_", "_out_") if self.role is Role.STATE else self.name

    def allocate(self, place: str) -> Tensor:
        """A zeroed tensor of this description on a device."""
        return torch.zeros(self.shape, dtype=self.dtype, device=place)

    def check(self, tensor: Tensor) -> None:
        """Raise InputError unless the tensor is exactly as described and contiguous."""
        if tuple(tensor.shape) != self.shape or tensor.dtype != self.dtype or not tensor.is_contiguous():
            raise InputError(
                self.name,
                f"{list(tensor.shape)} {tensor.dtype}{'' if tensor.is_contiguous() else ' not contiguous'}",
                f"bind a contiguous {list(self.shape)} {self.dtype}",
            )


@dataclass(frozen=True)
class GraphSpec:
    """A graph: its name (`step`, `decode`, ...), its tensors, the module whose forward takes them.

    `build_module(attention)` makes a module that takes the INPUT and STATE tensors by name and returns the OUTPUTs in
    order. How it meets its cache is `attention`'s: eagerly in place, or as an exporter needs it, whose modules return
    every STATE anew behind the outputs. `is_torch` graphs run in PyTorch and float32 whatever the engine: they are
    small and need arithmetic that compiled engines lack. `weights` is the digest of the checkpoint, `sizes` tells the
    architecture and its sizes.
    """

    name: str
    tensors: tuple[TensorSpec, ...]
    build_module: Callable[[Attention], nn.Module]
    batch: int = 1
    is_torch: bool = False
    weights: str = ""
    sizes: str = ""

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """What a module takes, in order."""
        return tuple(spec for spec in self.tensors if spec.role is not Role.OUTPUT)

    @property
    def outputs(self) -> tuple[str, ...]:
        """What an exported module returns, in order."""
        made = [spec.name for spec in self.tensors if spec.role is Role.OUTPUT]
        return (*made, *(spec.output for spec in self.tensors if spec.role is Role.STATE))

    @property
    def key(self) -> str:
        """A digest of all that decides about the graph's numbers: weights, sizes, names, shapes and types."""
        tensors = [(s.name, s.shape, str(s.dtype), s.role.value) for s in self.tensors]
        text = json.dumps([self.name, self.batch, self.weights, self.sizes, tensors], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class EngineOptions:
    """How to run. `precision` is that of linears and cache; `threads` are CPU threads (0: decide by the machine).

    Of TensorRT engines, with the names that Isaac ROS gives them: `engine_file_path` is the folder of the plans,
    `force_engine_update` builds them anew, `verbose` logs all that the library tells.
    """

    device: str = "cpu"
    precision: str = "f32"
    threads: int = 0
    engine: str = "torch"
    engine_file_path: Path | None = None
    force_engine_update: bool = False
    verbose: bool = False


@dataclass(frozen=True)
class ProgramInfo:
    """What really runs; goes verbatim into status messages, logs and benchmark files."""

    engine: str
    engine_version: str
    device: str
    precision: str
    threads: int

    def __str__(self) -> str:
        threads = f", {self.threads} thread{'s' if self.threads != 1 else ''}" if self.device == "cpu" else ""
        return f"{self.engine} {self.engine_version} on {self.device}, {self.precision}{threads}"


class Context(Protocol):
    """A graph bound to one set of tensors, which it keeps alive."""

    def run(self) -> None:
        """Read the INPUT tensors, update STATE, fill OUTPUT."""

    def close(self) -> None:
        """Let go of the tensors. Nothing else may be called afterwards."""


class Program(Protocol):
    """A graph with its weights resident once, shared by all sessions."""

    def context(self, tensors: Mapping[str, Tensor]) -> Context:
        """Bind every tensor of the graph by name; raises InputError for one that does not fit."""

    def move(self, device: str) -> None:
        """Take the weights to another device; contexts follow. Raises EngineError where an engine cannot."""

    def release(self) -> None:
        """Free the weights. Contexts must have been closed."""


class Engine(Protocol):
    """One per process and device.

    `dtype` is that of the arithmetic and of the caches, `storage` that of the blocks' weights where it is another;
    `batches` are the numbers of rows that one forward may have, or None where any will do.
    """

    info: ProgramInfo
    dtype: torch.dtype
    storage: torch.dtype | None
    batches: tuple[int, ...] | None

    def place(self, spec: TensorSpec) -> str:
        """The device where the engine wants a tensor to lie."""

    def use_threads(self) -> None:
        """Set the number of CPU threads for what this thread is about to compute beside the graphs."""

    def is_ready(self, graph: GraphSpec) -> bool:
        """Whether the graph loads without being exported or built first. Raises EngineError for a damaged file."""

    def load(self, graph: GraphSpec) -> Program:
        """Raises EngineError when the graph cannot run here."""
