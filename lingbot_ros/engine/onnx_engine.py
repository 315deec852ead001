"""ONNX Runtime on the CPU: the exported graphs on the sessions' own memory, caches updated in place."""

import importlib
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from lingbot_ros.engine.artifacts import Artifact, artifact_key, read_artifact, write_artifact
from lingbot_ros.engine.export import probe
from lingbot_ros.engine.export.positional import Positional
from lingbot_ros.engine.export.weights import weight_of
from lingbot_ros.engine.interface import EngineOptions, GraphSpec, ProgramInfo, Role, TensorSpec
from lingbot_ros.engine.torch_engine import default_threads, use_threads
from lingbot_ros.errors import EngineError, InputError

if TYPE_CHECKING:
    import onnxruntime

OLDEST = (1, 25)
"""The first ONNX Runtime with `TensorScatter` and `Attention` of opset 24 on the CPU."""

NAME = "onnxruntime"

FORM = "onnx-slice-lean"
"""Weights are merged as `export.lean` says. Keys and values are cut to length by `Slice`: fastest here, and what lies
behind is never read."""

logger = logging.getLogger(__name__)

_WARNING, _ERROR = 2, 3
_INSTALL = "./lingbot setup installs it, or pip install onnx onnxruntime onnxscript"


BATCHES = (1, 8)
"""Rows of a forward: eight gain 15 % over one, more gain nothing."""


class OnnxContext:
    """A session's tensors, bound by address. STATE is input and output at one address: that is what in place means."""

    def __init__(
        self, graph: GraphSpec, session: "onnxruntime.InferenceSession", tensors: Mapping[str, Tensor]
    ) -> None:
        self._session, self._binding = session, session.io_binding()
        self._held = []  # addresses are all that ONNX Runtime knows
        wanted = {tensor.name for tensor in session.get_inputs()}
        for spec in graph.tensors:
            tensor = tensors[spec.name]
            spec.check(tensor)
            self._held.append(tensor)
            place = ("cpu", 0, _element(spec), spec.shape, tensor.data_ptr())
            if spec.role is not Role.OUTPUT and spec.name in wanted:
                self._binding.bind_input(spec.name, *place)
            if spec.role is not Role.INPUT:
                self._binding.bind_output(spec.output, *place)

    def run(self) -> None:
        self._session.run_with_iobinding(self._binding)

    def close(self) -> None:
        self._binding.clear_binding_inputs()
        self._binding.clear_binding_outputs()
        self._held = []


class OnnxProgram:
    """One `InferenceSession`, shared by all contexts."""

    def __init__(self, graph: GraphSpec, artifact: Artifact, threads: int, severity: int = _ERROR) -> None:
        """Loads the graph and has it compute its probe; raises EngineError if it computes something else."""
        ort = importlib.import_module("onnxruntime")
        options = ort.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = severity
        parameters = Positional(graph).weights()
        arrays = {name: weight_of(source, parameters) for name, source in artifact.weights.items()}
        self._weights = {name: ort.OrtValue.ortvalue_from_numpy(array) for name, array in arrays.items()}
        options.add_external_initializers(list(self._weights), list(self._weights.values()))
        try:
            self._session: Any = ort.InferenceSession(artifact.model, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its exceptions have no common base but this
            raise EngineError(
                f"engine: GRAPH_REJECTED: ONNX Runtime refuses the {graph.name} graph: {error}"
            ) from error
        self._graph = graph
        tensors = probe.probe_tensors(graph)
        context = self.context(tensors)
        probe.check(graph, tensors, context.run, artifact.probe)
        context.close()

    def context(self, tensors: Mapping[str, Tensor]) -> OnnxContext:
        return OnnxContext(self._graph, self._session, tensors)

    def move(self, device: str) -> None:
        if device != "cpu":
            raise EngineError(f"engine: {NAME} runs on the CPU here and cannot move to {device}; use engine torch")

    def release(self) -> None:
        self._session, self._weights = None, {}


class OnnxEngine:
    """f32 on the CPU."""

    batches: tuple[int, ...] | None = BATCHES
    dtype: torch.dtype = torch.float32
    storage: torch.dtype | None = None

    def __init__(self, options: EngineOptions) -> None:
        """Raises EngineError with a code when ONNX Runtime is absent or too old, or the options are not for it."""
        if options.device != "cpu":
            raise EngineError(f"engine: PROVIDER_MISSING: {NAME} runs on the CPU, not {options.device}; use torch")
        if options.precision != "f32":
            raise InputError(
                "precision", options.precision, f"{NAME} computes in f32 on a CPU; use f32 or engine torch"
            )
        self.options = options
        threads = options.threads or default_threads()
        self.info = ProgramInfo(NAME, require_onnxruntime(), "cpu", "f32", threads)

    def place(self, spec: TensorSpec) -> str:
        return "cpu"

    def use_threads(self) -> None:
        use_threads(self.info.threads)

    def find(self, graph: GraphSpec) -> Artifact | None:
        """The exported graph if there is one that computes what the model's code computes today."""
        artifact = read_artifact(artifact_key(graph, FORM))
        if artifact is not None and (differs := probe.difference(artifact.probe, probe.expected(graph))):
            logger.info("the exported %s graph is of other code (%s)", graph.name, differs)
            return None
        return artifact

    def load(self, graph: GraphSpec) -> OnnxProgram:
        """The program of a graph, which is exported first if that was not done before."""
        artifact = self.find(graph)
        if artifact is None:
            artifact = self.export(graph)
            write_artifact(artifact_key(graph, FORM), artifact)
        return OnnxProgram(graph, artifact, self.info.threads)

    def keep(self, graph: GraphSpec, where: Path | None = None) -> Path:
        """Export a graph into a folder, once it has computed its probe; returns where it lies. Raises EngineError."""
        artifact = self.export(graph)
        OnnxProgram(graph, artifact, self.info.threads, _WARNING).release()
        return write_artifact(artifact_key(graph, FORM), artifact, where)

    def export(self, graph: GraphSpec) -> Artifact:
        """Export a graph. Takes a quarter of a minute; raises EngineError."""
        for package in ("onnx", "onnxscript"):
            try:
                importlib.import_module(package)
            except ImportError as error:
                raise EngineError(f"engine: NOT_INSTALLED: exporting needs {package}; {_INSTALL}") from error
        from lingbot_ros.engine.export.onnx_export import export_graph  # noqa: PLC0415  - needs the package onnx

        logger.info("exporting the %s graph for %s, %d row(s): this is done once", graph.name, NAME, graph.batch)
        model, sources = export_graph(graph)
        return Artifact(model.SerializeToString(), sources, probe.expected(graph))


def require_onnxruntime() -> str:
    """The version that is installed; raises EngineError saying what to install."""
    try:
        ort = importlib.import_module("onnxruntime")
    except ImportError as error:
        if getattr(error, "name", None) == "onnxruntime":
            raise EngineError(f"engine: NOT_INSTALLED: the package onnxruntime is not here; {_INSTALL}") from error
        raise EngineError(f"engine: LIBRARY_LOAD: onnxruntime does not load: {error}") from error
    version: str = ort.__version__
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
        needed = ".".join(map(str, OLDEST))
        raise EngineError(f"engine: TOO_OLD: onnxruntime {version} is installed, {needed} is needed; {_INSTALL}")
    return version


def _element(spec: TensorSpec) -> Any:
    return torch.empty(0, dtype=spec.dtype).numpy().dtype.type
