"""The PyTorch engine: the reference for every other, on CPU and CUDA."""

import os
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from lingbot_ros.engine.interface import EngineOptions, GraphSpec, ProgramInfo, Role
from lingbot_ros.errors import EngineError, InputError

PRECISIONS = {
    "f32": torch.float32,
    "bf16": torch.bfloat16,
    "f16": torch.float16,
    "int8": torch.bfloat16,
    "fp8": torch.bfloat16,
}
"""The type of the arithmetic and of the caches."""

STORAGE = {"int8": torch.int8, "fp8": torch.float8_e4m3fn}
"""Precisions that keep the weights of the blocks' linears in another type and widen them when they are used."""


class TorchContext:
    """A module and the tensors its forward takes by name."""

    def __init__(self, graph: GraphSpec, module: nn.Module, tensors: Mapping[str, Tensor]) -> None:
        for spec in graph.tensors:
            spec.check(tensors[spec.name])
        self._module = module
        self._arguments = {s.name: tensors[s.name] for s in graph.tensors if s.role is not Role.OUTPUT}
        self._outputs = [tensors[s.name] for s in graph.tensors if s.role is Role.OUTPUT]

    @torch.inference_mode()
    def run(self) -> None:
        results = self._module(**self._arguments)
        for target, result in zip(self._outputs, results, strict=True):
            target.copy_(result)


class TorchProgram:
    """A graph's module on its device."""

    def __init__(self, graph: GraphSpec) -> None:
        self._graph, self._module = graph, graph.build_module().eval()

    def context(self, tensors: Mapping[str, Tensor]) -> TorchContext:
        return TorchContext(self._graph, self._module, tensors)


class TorchEngine:
    """Runs graphs eagerly."""

    def __init__(self, options: EngineOptions) -> None:
        """Checks the device and precision; raises EngineError or InputError naming what does not work here."""
        resolve_device(options.device, options.precision)
        threads = options.threads or default_threads()
        torch.set_num_threads(threads)
        self.options = options
        self.info = ProgramInfo("torch", torch.__version__, options.device, options.precision, threads)

    def load(self, graph: GraphSpec) -> TorchProgram:
        return TorchProgram(graph)


def resolve_device(device: str, precision: str) -> tuple[str, str]:
    """What `auto` means here: a GPU if PyTorch sees one, else the CPU; bf16 on a GPU, f32 on the CPU."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if precision == "auto":
        precision = "bf16" if device.startswith("cuda") else "f32"
    if precision not in PRECISIONS:
        raise InputError("precision", precision, f"use one of {', '.join(PRECISIONS)}")
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise EngineError(
            f"device: got {device}; PyTorch {torch.__version__} sees no CUDA GPU here. "
            "Use device cpu, or install a CUDA build of PyTorch and the NVIDIA driver"
        )
    return device, precision


def default_threads() -> int:
    """1 on one or two cores, else one fewer than there are: a starved OpenMP barrier costs more than a thread gains."""
    cores = len(os.sched_getaffinity(0))
    return 1 if cores <= 2 else cores - 1
