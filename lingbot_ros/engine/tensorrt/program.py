"""A plan in a GPU's memory and the sessions' tensors bound to it. Nothing in here waits for the GPU."""

import logging
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from lingbot_ros.engine.decode_graphs import DECODE_GRAPHS
from lingbot_ros.engine.export import probe
from lingbot_ros.engine.interface import GraphSpec, Role, TensorSpec
from lingbot_ros.engine.tensorrt.build import data_type
from lingbot_ros.engine.tensorrt.library import log_of
from lingbot_ros.engine.tensorrt.opening import open_plan
from lingbot_ros.engine.tensorrt.plans import Plan
from lingbot_ros.errors import EngineError, ErrorCode, InputError

LENGTH = "kv_len"
"""Decides about shapes, so that the library reads it in main memory while it enqueues."""

_ALIGNMENT = 256
_WARM_UP = 2
"""Forwards of one shape before they are captured: libraries load and kernels are chosen meanwhile."""

logger = logging.getLogger(__name__)


class TensorRtProgram:
    """One `ICudaEngine`, one stream and one scratch memory, shared by all contexts: they never run at once."""

    def __init__(self, trt: ModuleType, graph: GraphSpec, plan: Plan, precision: str, device: str) -> None:
        """Loads the plan and has it compute its probe; raises EngineError if it computes something else."""
        self._trt, self._graph, self._device = trt, graph, device
        self._engine = open_plan(trt, plan.path)
        check_bindings(trt, self._engine, graph)
        self.stream = torch.cuda.Stream(device)
        self._scratch = torch.empty(self._engine.device_memory_size_v2 + _ALIGNMENT, dtype=torch.uint8, device=device)
        tensors = probe.probe_tensors(graph, lambda spec: place_of(spec, device))
        context = self.context(tensors)
        probe.check(graph, tensors, context.run, plan.probe, precision)
        context.close()

    def context(self, tensors: Mapping[str, Tensor]) -> "TensorRtContext":
        return TensorRtContext(self, self._graph, tensors)

    def new_execution(self) -> Any:
        """An `IExecutionContext` on the shared scratch memory; TensorRT-RTX's captures CUDA graphs by itself."""
        trt, strategy = self._trt, self._trt.ExecutionContextAllocationStrategy.USER_MANAGED
        settings = self._engine.create_runtime_config()
        settings.set_execution_context_allocation_strategy(strategy)
        if self.captures_itself:
            settings.cuda_graph_strategy = trt.CudaGraphStrategy.WHOLE_GRAPH_CAPTURE
        execution = self._engine.create_execution_context(settings)
        if execution is None:
            said = "; ".join(log_of(trt).lines[-3:])
            raise EngineError(f"engine: OUT_OF_MEMORY: no context for the {self._graph.name} graph: {said}")
        start = -self._scratch.data_ptr() % _ALIGNMENT + self._scratch.data_ptr()
        execution.set_device_memory(start, self._engine.device_memory_size_v2)
        return execution

    @property
    def captures_itself(self) -> bool:
        return self.is_captured and hasattr(self._trt, "CudaGraphStrategy")

    @property
    def is_captured(self) -> bool:
        """Whether forwards are replayed as a CUDA graph. Contexts of decoders live for one frame, too short for it."""
        return self._graph.name not in DECODE_GRAPHS

    def move(self, device: str) -> None:
        if torch.device(device) != torch.device(self._device):
            raise EngineError(
                f"engine: {self._trt.__name__} keeps its weights on {self._device} and cannot move to {device}; use "
                "engine torch, or leave offload_expert out"
            )

    def release(self) -> None:
        self._engine, self._scratch = None, torch.empty(0)


class TensorRtContext:
    """A session's tensors, bound by address. STATE is input and output at one address: it is updated in place."""

    def __init__(self, program: TensorRtProgram, graph: GraphSpec, tensors: Mapping[str, Tensor]) -> None:
        self._program, self._graph = program, graph
        self._execution = program.new_execution()
        self._held = {}  # addresses are all that the library knows
        for spec in graph.tensors:
            tensor = tensors[spec.name]
            spec.check(tensor)
            wanted = place_of(spec, program.stream.device)
            if tensor.device.type != torch.device(wanted).type:
                raise InputError(spec.name, f"a tensor on {tensor.device}", f"allocate it on {wanted}")
            self._held[spec.name] = tensor
            for name in {spec.name, spec.output}:
                if not self._execution.set_tensor_address(name, tensor.data_ptr()):
                    raise EngineError(f"engine: the {graph.name} graph has no tensor {name}, or refuses its address")
        self._slots = next((spec.shape[2] for spec in graph.tensors if spec.role is Role.STATE), 0)
        self._captured: torch.cuda.CUDAGraph | None = None
        captures = program.is_captured and not program.captures_itself
        self._runs_before_capture = _WARM_UP if captures else -1

    def run(self) -> None:
        """Enqueued on the program's stream, behind and before what the caller's stream has to do."""
        stream, current = self._program.stream, torch.cuda.current_stream(self._program.stream.device)
        stream.wait_stream(current)
        with torch.cuda.stream(stream):
            if self._captured is not None and self._is_steady():
                self._captured.replay()
            else:
                self._enqueue()
                self._prepare_capture()
        current.wait_stream(stream)

    def close(self) -> None:
        self._captured = self._execution = None
        self._held = {}

    def _enqueue(self) -> None:
        if not self._execution.execute_async_v3(self._program.stream.cuda_stream):
            said = "; ".join(log_of(self._program._trt).lines[-3:])
            code = ErrorCode.OUT_OF_MEMORY if "memory" in said.lower() else None
            raise EngineError(f"engine: the {self._graph.name} graph failed: {said}; load the model again", code)

    def _is_steady(self) -> bool:
        """Whether every shape is the one that lasts: once the window is full, the length of the cache stays."""
        length = self._held.get(LENGTH)
        return length is None or bool((length == self._slots).all())

    def _prepare_capture(self) -> None:
        """Capture the forward once its shape was run often enough. Where that fails, each forward is enqueued."""
        if self._runs_before_capture < 0 or not self._is_steady():
            return
        self._runs_before_capture -= 1
        if self._runs_before_capture >= 0:
            return
        captured = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(captured, stream=self._program.stream):
                self._enqueue()
        except (RuntimeError, EngineError) as error:
            logger.warning("cuda_graph: off for the %s graph, capturing failed: %s", self._graph.name, error)
            return
        self._captured = captured


def place_of(spec: TensorSpec, device: str | torch.device) -> str:
    """Where a tensor must lie. Scalars of PyTorch's own graphs, and the cache's length, are read by the host."""
    return "cpu" if spec.scalar and spec.name != "write_index" else str(device)


def check_bindings(trt: ModuleType, engine: Any, graph: GraphSpec) -> None:
    """Raise EngineError unless the plan has exactly the graph's tensors, and every cache is written where it lies."""
    found = {engine.get_tensor_name(index) for index in range(engine.num_io_tensors)}
    wanted = {spec.name for spec in graph.tensors} | set(graph.outputs)
    if found != wanted:
        raise EngineError(f"engine: STALE_PLAN: tensors {', '.join(sorted(found ^ wanted))} of the {graph.name} graph")
    for spec in graph.tensors:
        shape, dtype = tuple(engine.get_tensor_shape(spec.name)), engine.get_tensor_dtype(spec.output)
        if shape != spec.shape or dtype != data_type(trt, spec.dtype):
            raise EngineError(f"engine: STALE_PLAN: {spec.name} is {list(shape)} {dtype} in the plan")
        if spec.role is Role.STATE and engine.get_aliased_input_tensor(spec.output) != spec.name:
            raise EngineError(f"engine: GRAPH_REJECTED: {spec.output} is not written where {spec.name} lies")
        host = engine.get_tensor_location(spec.name) == trt.TensorLocation.HOST
        if host != (spec.name == LENGTH):
            raise EngineError(f"engine: GRAPH_REJECTED: {spec.name} lies {'in main' if host else 'in GPU'} memory")
