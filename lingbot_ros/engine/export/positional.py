"""A graph's module as exporters call it."""

import copy
from collections.abc import Mapping

from torch import Tensor, nn

from lingbot_ros.engine.export.attention import ExportedAttention
from lingbot_ros.engine.export.lean import lean
from lingbot_ros.engine.interface import GraphSpec, Role


class Positional(nn.Module):
    """Takes the tensors in the order of the spec, so that names and order come from there alone."""

    def __init__(self, graph: GraphSpec) -> None:
        super().__init__()
        slots = next((spec.shape[2] for spec in graph.tensors if spec.role is Role.STATE), 0)
        tokens = next((spec.shape[1] for spec in graph.tensors if spec.name == "cos"), 0)
        self.module = lean(graph.build_module(ExportedAttention(tokens, slots)).eval())
        self._names = [spec.name for spec in graph.inputs]
        made = [spec for spec in graph.tensors if spec.role is Role.OUTPUT]
        self._types = [spec.dtype for spec in (*made, *(s for s in graph.tensors if s.role is Role.STATE))]

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        results = self.module(**dict(zip(self._names, tensors, strict=True)))
        # An engine writes an output in the graph's type into memory of the spec's.
        return tuple(result.to(dtype) for result, dtype in zip(results, self._types, strict=True))

    def weights(self) -> Mapping[str, Tensor]:
        """By the names that the exported graph has them under."""
        return self.state_dict()


def on_cpu(module: nn.Module) -> nn.Module:
    """The module, or a copy of one that lies on a GPU: its weights are others', too."""
    return module if all(tensor.device.type == "cpu" for tensor in module.parameters()) else copy.deepcopy(module).cpu()
