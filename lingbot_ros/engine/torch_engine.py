"""The PyTorch engine: the reference for every other, on CPU and CUDA."""

import os
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from lingbot_ros.engine.interface import EngineOptions, GraphSpec, ProgramInfo, Role, TensorSpec
from lingbot_ros.engine.precision import PRECISIONS, STORAGE, check_precision
from lingbot_ros.errors import EngineError
from lingbot_ros.model.attention import cached_attention


class TorchContext:
    """A module and the tensors its forward takes by name."""

    def __init__(self, graph: GraphSpec, module: nn.Module, tensors: Mapping[str, Tensor], threads: int) -> None:
        for spec in graph.tensors:
            spec.check(tensors[spec.name])
        self._graph, self._module, self._threads = graph, module, threads
        self._arguments = {spec.name: tensors[spec.name] for spec in graph.inputs}
        self._outputs = [tensors[s.name] for s in graph.tensors if s.role is Role.OUTPUT]

    @torch.inference_mode()
    def run(self) -> None:
        use_threads(self._threads)
        results = self._module(**self._arguments)
        for target, result in zip(self._outputs, results, strict=True):
            target.copy_(result)

    def close(self) -> None:
        self._arguments, self._outputs = {}, []


class TorchProgram:
    """A graph's module on its device."""

    def __init__(self, graph: GraphSpec, threads: int) -> None:
        self._graph, self._threads = graph, threads
        self._module: nn.Module | None = graph.build_module(cached_attention).eval()

    def rebuild(self, change: Callable[[nn.Module], nn.Module]) -> None:
        """Run what `change` makes of the module instead."""
        assert self._module is not None
        self._module = change(self._module)

    def context(self, tensors: Mapping[str, Tensor]) -> TorchContext:
        assert self._module is not None
        return TorchContext(self._graph, self._module, tensors, self._threads)

    def move(self, device: str) -> None:
        assert self._module is not None
        self._module.to(device)

    def release(self) -> None:
        self._module = None


class TorchEngine:
    """Runs graphs eagerly. The number of CPU threads is set by the thread that runs a graph, and stays set for it."""

    batches: tuple[int, ...] | None = None

    def __init__(self, options: EngineOptions) -> None:
        """Checks the device and precision; raises EngineError or InputError naming what does not work here."""
        resolve_device(options.device, options.precision)
        self.options = options
        self.dtype, self.storage = PRECISIONS[options.precision], STORAGE.get(options.precision)
        threads = options.threads or default_threads()
        self.info = ProgramInfo("torch", torch.__version__, options.device, options.precision, threads)

    def place(self, spec: TensorSpec) -> str:
        """Scalars lie on the CPU: reading them there never waits for a GPU."""
        return "cpu" if spec.scalar else self.options.device

    def use_threads(self) -> None:
        use_threads(self.info.threads)

    def is_ready(self, graph: GraphSpec) -> bool:
        return True

    def load(self, graph: GraphSpec) -> TorchProgram:
        return TorchProgram(graph, self.info.threads)


def use_threads(count: int) -> None:
    """PyTorch keeps this number per thread and for threads that come: worlds that differ in it may take turns."""
    if torch.get_num_threads() != count:
        torch.set_num_threads(count)


def resolve_device(device: str, precision: str) -> tuple[str, str]:
    """What `auto` means here: a GPU if PyTorch sees one, else the CPU; bf16 on a GPU, f32 on the CPU."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if precision == "auto":
        precision = "bf16" if device.startswith("cuda") else "f32"
    check_precision(precision)
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise EngineError(
            f"device: got {device}; NO_DRIVER: PyTorch {torch.__version__} sees no CUDA GPU here. "
            "Use device cpu, or install a CUDA build of PyTorch and the NVIDIA driver"
        )
    return device, precision


def default_threads() -> int:
    """1 on one or two cores, else one fewer than there are: a starved OpenMP barrier costs more than a thread gains."""
    cores = len(os.sched_getaffinity(0))
    return 1 if cores <= 2 else cores - 1
