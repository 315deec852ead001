"""ONNX Runtime on the CPU: the exported graphs on the sessions' own memory, caches updated in place."""

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from lingbot_ros.engine.artifacts import Artifact, artifact_key, write_artifact
from lingbot_ros.engine.export import probe
from lingbot_ros.engine.export.exported import FORM, QUANTISED_PRECISIONS, export_artifact, find_exported, form_of
from lingbot_ros.engine.export.positional import Positional
from lingbot_ros.engine.export.weights import weight_of
from lingbot_ros.engine.interface import EngineOptions, GraphSpec, ProgramInfo, Role, TensorSpec
from lingbot_ros.engine.quality import quality_key, require_quality
from lingbot_ros.engine.torch_engine import default_threads, use_threads
from lingbot_ros.errors import EngineError, InputError

if TYPE_CHECKING:
    import onnxruntime

OLDEST = (1, 25)
"""The first ONNX Runtime with `TensorScatter` and `Attention` of opset 24 on the CPU."""

NAME = "onnxruntime"

_WARNING, _ERROR = 2, 3
_INSTALL = "./lingbot setup installs it, or pip install onnx onnxruntime onnxscript"


_FAULTY = ["MatMulAddFusion"]
"""Optimisers that give quantised graphs other types than their zero points have, which the next one then refuses."""

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

    def __init__(
        self, graph: GraphSpec, artifact: Artifact, threads: int, severity: int = _ERROR, precision: str = "f32"
    ) -> None:
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
            self._session: Any = ort.InferenceSession(
                artifact.model,
                options,
                providers=["CPUExecutionProvider"],
                disabled_optimizers=_FAULTY if precision in QUANTISED_PRECISIONS else None,
            )
        except Exception as error:  # its exceptions have no common base but this
            raise EngineError(
                f"engine: GRAPH_REJECTED: ONNX Runtime refuses the {graph.name} graph: {error}"
            ) from error
        self._graph = graph
        self._check(artifact.expected, precision)

    def _check(self, expected: probe.Probe, precision: str) -> None:
        tensors = probe.probe_tensors(self._graph)
        context = self.context(tensors)
        probe.check(self._graph, tensors, context.run, expected, precision)
        context.close()

    def context(self, tensors: Mapping[str, Tensor]) -> OnnxContext:
        return OnnxContext(self._graph, self._session, tensors)

    def move(self, device: str) -> None:
        if device != "cpu":
            raise EngineError(f"engine: {NAME} runs on the CPU here and cannot move to {device}; use engine torch")

    def release(self) -> None:
        self._session, self._weights = None, {}


class OnnxEngine:
    """f32 on the CPU; int8 where it was measured to be faster and as good. A `trial` runs what is yet to be measured.

    A trial has `dtype` around its quantised linears.
    """

    batches: tuple[int, ...] | None = BATCHES
    storage: torch.dtype | None = None

    def __init__(self, options: EngineOptions, trial: torch.dtype | None = None) -> None:
        """Raises EngineError with a code when ONNX Runtime is absent or too old, or the options are not for it."""
        if options.device != "cpu":
            raise EngineError(f"engine: PROVIDER_MISSING: {NAME} runs on the CPU, not {options.device}; use torch")
        if options.precision not in ("f32", "int8") and trial is None:
            raise InputError(
                "precision", options.precision, f"{NAME} computes in f32 on a CPU; use f32 or engine torch"
            )
        self.options, self._is_trial = options, trial is not None
        self.dtype = trial or torch.float32
        threads = options.threads or default_threads()
        self.info = ProgramInfo(NAME, require_onnxruntime(), "cpu", options.precision, threads)

    def place(self, spec: TensorSpec) -> str:
        return "cpu"

    def use_threads(self) -> None:
        use_threads(self.info.threads)

    def find(self, graph: GraphSpec) -> Artifact | None:
        """The exported graph if there is one that computes what the model's code computes today."""
        return find_exported(graph, form_of(graph, self.options.precision))

    def is_ready(self, graph: GraphSpec) -> bool:
        return self.find(graph) is not None

    def load(self, graph: GraphSpec) -> OnnxProgram:
        """The program of a graph, which is exported first if that was not done before."""
        precision = self.options.precision
        if form_of(graph, precision) != FORM and not self._is_trial:
            require_quality(NAME, quality_key(graph.weights, precision, self.dtype))
        artifact = self.find(graph)
        if artifact is None:
            if form_of(graph, precision) != FORM:
                raise EngineError(
                    f"engine: NOT_EXPORTED: no {precision} graph for {graph.batch} row(s); lingbot export MODEL "
                    f"--precision {precision} makes it"
                )
            artifact = self.export(graph)
            write_artifact(artifact_key(graph, FORM), artifact)
        return OnnxProgram(graph, artifact, self.info.threads, precision=precision)

    def keep(self, graph: GraphSpec, where: Path | None = None) -> Path:
        """Export a graph into a folder, once it has computed its probe; returns where it lies. Raises EngineError."""
        artifact = self.export(graph)
        OnnxProgram(graph, artifact, self.info.threads, _WARNING).release()
        return write_artifact(artifact_key(graph, FORM), artifact, where)

    def export(self, graph: GraphSpec) -> Artifact:
        """Export a graph. Takes a quarter of a minute; raises EngineError."""
        return export_artifact(graph)


def require_onnxruntime() -> str:
    """The version that is installed; raises EngineError saying what to install."""
    try:
        ort = importlib.import_module("onnxruntime")
    except ImportError as error:
        if getattr(error, "name", None) == "onnxruntime":
            raise EngineError(f"engine: NOT_INSTALLED: the package onnxruntime is not installed; {_INSTALL}") from error
        raise EngineError(f"engine: LIBRARY_LOAD: onnxruntime does not load: {error}") from error
    version: str = ort.__version__
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
        needed = ".".join(map(str, OLDEST))
        raise EngineError(f"engine: TOO_OLD: onnxruntime {version} is installed, {needed} is needed; {_INSTALL}")
    return version


def _element(spec: TensorSpec) -> Any:
    return torch.empty(0, dtype=spec.dtype).numpy().dtype.type
