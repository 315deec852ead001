"""A graph's module as exporters call it."""

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

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.module(**dict(zip(self._names, tensors, strict=True))))

    def weights(self) -> Mapping[str, Tensor]:
        """By the names that the exported graph has them under."""
        return self.state_dict()
