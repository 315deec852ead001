"""What an engine must offer, and how a graph describes the tensors it reads and writes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import torch
from torch import Tensor, nn

from lingbot_ros.errors import InputError


class Role(Enum):
    """What a graph does with a tensor. STATE is updated in place."""

    INPUT = "input"
    STATE = "state"
    OUTPUT = "output"


@dataclass(frozen=True)
class TensorSpec:
    """One tensor by name. `host` tensors are small integers on the CPU: reading them never waits for a GPU."""

    name: str
    shape: tuple[int, ...]
    dtype: torch.dtype
    role: Role
    host: bool = False

    def allocate(self, device: str) -> Tensor:
        """A zeroed tensor of this description."""
        return torch.zeros(self.shape, dtype=self.dtype, device="cpu" if self.host else device)

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
    """A graph: its name (`prompt`, `control` or `step`), its tensors, the module whose forward takes them by name."""

    name: str
    tensors: tuple[TensorSpec, ...]
    build_module: Callable[[], nn.Module]


@dataclass(frozen=True)
class EngineOptions:
    """How to run. `precision` is that of linears and cache; `threads` are CPU threads (0: decide by the machine)."""

    device: str = "cpu"
    precision: str = "f32"
    threads: int = 0


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
    """A graph bound to one session's tensors."""

    def run(self) -> None:
        """Read the INPUT tensors, update STATE, fill OUTPUT."""


class Program(Protocol):
    """A graph with its weights resident once, shared by all sessions."""

    def context(self, tensors: Mapping[str, Tensor]) -> Context:
        """Bind every tensor of the graph by name; raises InputError for one that does not fit."""


class Engine(Protocol):
    """One per process and device."""

    info: ProgramInfo

    def load(self, graph: GraphSpec) -> Program: ...
