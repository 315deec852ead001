"""A transformer's weights, resident once, and the graphs that run them."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from math import prod
from pathlib import Path
from weakref import ref

from torch import Tensor

from lingbot_ros.checkpoints.weights import load_transformer
from lingbot_ros.engine.graphs import GraphShape, model_graphs
from lingbot_ros.engine.interface import Engine, EngineOptions, GraphSpec, Program, Role, TensorSpec
from lingbot_ros.engine.torch_engine import TorchEngine
from lingbot_ros.model.cache import zero_caches
from lingbot_ros.model.rope import RotaryTables
from lingbot_ros.model.token_share import TokenShare
from lingbot_ros.model.transformer import CausalWorldTransformer


class Network:
    """One checkpoint, shared by all sessions. A model with two experts has two."""

    def __init__(
        self,
        files: tuple[Path, ...],
        shape: GraphShape,
        engine: Engine,
        device: str,
        offloaded: bool = False,
        digest: str = "",
        share: TokenShare | None = None,
    ) -> None:
        """Read the weights to the device, or to main memory if `offloaded`. Raises ModelError.

        `digest`: digest of the files. `share`: this process's part where several run the model together.
        """
        self.shape, self.engine, self._device, self._share = shape, engine, device, share
        self._files, self._place, self._digest = files, "cpu" if offloaded else device, digest
        # The time graph is PyTorch's whatever the engine.
        self._torch = TorchEngine(EngineOptions(device, "f32", engine.info.threads))
        model = self._read()
        self._model = ref(model)
        self.parameters = sum(parameter.numel() for parameter in model.parameters())
        self.weights_bytes = sum(p.numel() * p.element_size() for p in model.parameters())
        self._specs = {spec.name: spec for graph in self._graphs(1) for spec in graph.tensors}.values()
        self._programs: dict[int, dict[str, Program]] = {}
        self.programs()
        self.rotary = RotaryTables(shape.rows, shape.columns, shape.transformer.head_dim, share)

    @property
    def model(self) -> CausalWorldTransformer:
        """The PyTorch model; read again if no program of the engine holds it."""
        model = self._model()
        if model is None:
            model = self._read()
            self._model = ref(model)
        return model

    def _read(self) -> CausalWorldTransformer:
        shape = self.shape
        model = load_transformer(shape.transformer, self._files, shape.dtype, self._place, self.engine.storage)
        model.share = self._share
        return model

    def programs(self, batch: int = 1) -> Mapping[str, Program]:
        """The graphs by name for `batch` rows, loaded on first use."""
        if batch not in self._programs:
            model = self.model  # read once for all graphs
            self._programs[batch] = {graph.name: self._engine(graph).load(graph) for graph in self._graphs(batch)}
            del model
        return self._programs[batch]

    def move(self, device: str) -> None:
        """Take the weights elsewhere; the graphs that run them see them there."""
        for programs in self._programs.values():
            for program in programs.values():
                program.move(device)

    @property
    def has_text(self) -> bool:
        return self.shape.transformer.text is not None

    def allocate_shared(self, batch: int = 1) -> dict[str, Tensor]:
        """The tensors that all branches of a session may share, zeroed: inputs, control and outputs."""
        tensors = {spec.name: self._allocate(spec) for spec in self._all(batch) if not _is_own(spec)}
        self.rotary.begin(tensors["cos"], tensors["sin"])
        return tensors

    def allocate_own(self, batch: int = 1) -> dict[str, Tensor]:
        """The tensors that every branch needs for itself, zeroed: the text's, and all layers' `caches` in one block."""
        shape, specs = self.shape, [spec for spec in self._all(batch) if _is_own(spec)]
        layers = shape.transformer.num_layers if shape.sees_past else 0
        _, heads, slots, head_dim = shape.cache_shape
        block = zero_caches(layers, heads, slots, head_dim, shape.dtype, self._device, batch)
        tensors = {spec.name: self._allocate(spec) for spec in specs if spec.role is not Role.STATE}
        for layer in range(layers):
            tensors[f"k_cache_{layer}"], tensors[f"v_cache_{layer}"] = block[2 * layer], block[2 * layer + 1]
        return tensors | {"caches": block}

    def session_bytes(self, branches: int) -> int:
        """Memory of one session's tensors."""
        own = (spec for spec in self._specs if _is_own(spec))
        return _bytes(spec for spec in self._specs if not _is_own(spec)) + branches * _bytes(own)

    def _graphs(self, batch: int) -> list[GraphSpec]:
        return model_graphs(replace(self.shape, batch=batch), lambda: self.model, self._digest)

    def _engine(self, graph: GraphSpec) -> Engine:
        return self._torch if graph.is_torch else self.engine

    def _all(self, batch: int) -> Iterable[TensorSpec]:
        return {spec.name: spec for graph in self._graphs(batch) for spec in graph.tensors}.values()

    def _allocate(self, spec: TensorSpec) -> Tensor:
        return spec.allocate(self.engine.place(spec))


def checkpoint_digest(files: str, index: int) -> str:
    """What tells one checkpoint from all others: the digest of a model's files and which of its networks it is."""
    return f"{files}/{index}"


def _is_own(spec: TensorSpec) -> bool:
    return spec.role is Role.STATE or spec.name.startswith("text_")


def _bytes(specs: Iterable[TensorSpec]) -> int:
    return sum(prod(spec.shape) * spec.dtype.itemsize for spec in specs)
