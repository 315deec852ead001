"""A transformer's weights, resident once, and the graphs that run them."""

from collections.abc import Iterable
from math import prod
from pathlib import Path

from torch import Tensor

from lingbot_ros.checkpoints.weights import load_transformer
from lingbot_ros.engine.graphs import GraphShape, model_graphs
from lingbot_ros.engine.interface import Engine, Role, TensorSpec
from lingbot_ros.engine.torch_engine import STORAGE


class Network:
    """One checkpoint, shared by all sessions. A model with two experts has two."""

    def __init__(
        self, files: tuple[Path, ...], shape: GraphShape, engine: Engine, device: str, waits: bool = False
    ) -> None:
        """Reads the weights, into main memory if the network `waits` to be moved to the device; raises ModelError."""
        storage, place = STORAGE.get(engine.info.precision), "cpu" if waits else device
        model = load_transformer(shape.transformer, files, shape.dtype, place, storage)
        self._model = model
        graphs = model_graphs(shape, lambda: model)
        self.shape, self.model, self._device = shape, model, device
        self.programs = {graph.name: engine.load(graph) for graph in graphs}
        self._specs = {spec.name: spec for graph in graphs for spec in graph.tensors}.values()
        self.parameters = sum(parameter.numel() for parameter in model.parameters())
        self.weights_bytes = sum(p.numel() * p.element_size() for p in model.parameters())

    def move(self, device: str) -> None:
        """Take the weights elsewhere; the graphs that run them see them there."""
        self._model.to(device)

    @property
    def has_text(self) -> bool:
        return self.shape.transformer.text is not None

    def allocate_shared(self) -> dict[str, Tensor]:
        """The tensors that all branches of a session may share, zeroed: inputs, control and outputs."""
        return {spec.name: spec.allocate(self._device) for spec in self._specs if not _is_own(spec)}

    def allocate_own(self) -> dict[str, Tensor]:
        """The tensors that every branch needs for itself, zeroed: caches and text.

        A model that sees no past writes all keys and values anew in each forward, so that its layers can share them.
        """
        own = [spec for spec in self._specs if _is_own(spec)]
        tensors = {spec.name: spec.allocate(self._device) for spec in own if not self._is_alias(spec)}
        return tensors | {spec.name: tensors[f"{spec.name[0]}_cache_0"] for spec in own if self._is_alias(spec)}

    def session_bytes(self, branches: int) -> int:
        """Memory of one session's tensors."""
        own = (spec for spec in self._specs if _is_own(spec) and not self._is_alias(spec))
        return _bytes(spec for spec in self._specs if not _is_own(spec)) + branches * _bytes(own)

    def _is_alias(self, spec: TensorSpec) -> bool:
        sees_no_past = self.shape.stream.window == self.shape.stream.chunk
        return sees_no_past and spec.role is Role.STATE and not spec.name.endswith("_cache_0")


def _is_own(spec: TensorSpec) -> bool:
    return spec.role is Role.STATE or spec.name.startswith("text_")


def _bytes(specs: Iterable[TensorSpec]) -> int:
    return sum(prod(spec.shape) * spec.dtype.itemsize for spec in specs)
