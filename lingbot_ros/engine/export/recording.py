"""PyTorch that notes what the step graph is given and what it answers: to calibrate with, and to compare with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from lingbot_ros.engine.export.quantize import Feed
from lingbot_ros.engine.interface import EngineOptions, GraphSpec
from lingbot_ros.engine.torch_engine import TorchContext, TorchEngine, TorchProgram


@dataclass(frozen=True)
class Forward:
    """One forward of the step graph: its inputs by name, and its prediction."""

    feed: Feed
    prediction: NDArray[np.float32]


class RecordingEngine(TorchEngine):
    """Float32 on the CPU. `forwards` grows by one in every forward."""

    def __init__(self) -> None:
        super().__init__(EngineOptions("cpu", "f32", threads=1))
        self.forwards: list[Forward] = []

    def load(self, graph: GraphSpec) -> TorchProgram:
        if graph.name != "step":
            return super().load(graph)
        return _RecordingProgram(graph, self.info.threads, self.forwards)


class _RecordingProgram(TorchProgram):
    def __init__(self, graph: GraphSpec, threads: int, forwards: list[Forward]) -> None:
        super().__init__(graph, threads)
        self._spec, self._forwards = graph, forwards

    def context(self, tensors: Mapping[str, Tensor]) -> TorchContext:
        assert self._module is not None
        return _RecordingContext(self._spec, self._module, tensors, self._threads, self._forwards)


class _RecordingContext(TorchContext):
    def __init__(self, graph: GraphSpec, *arguments: Any) -> None:
        *rest, self._forwards = arguments
        super().__init__(graph, *rest)

    def run(self) -> None:
        feed = {name: tensor.numpy().copy() for name, tensor in self._arguments.items()}
        super().run()
        self._forwards.append(Forward(feed, self._outputs[0].numpy().copy()))
