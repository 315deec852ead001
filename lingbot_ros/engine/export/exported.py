"""A graph's exported form: found where it was kept, or made."""

import importlib
import logging

from lingbot_ros.engine.artifacts import Artifact, artifact_key, read_artifact
from lingbot_ros.engine.export import probe
from lingbot_ros.engine.interface import GraphSpec
from lingbot_ros.errors import EngineError

FORM = "onnx-slice-lean"
"""Weights are merged as `export.lean` says. Keys and values are cut to length by `Slice`: fastest on a CPU, and what
lies behind is never read."""

QUANTISED_PRECISIONS = ("int8", "fp8")

_INSTALL = "./lingbot setup installs it, or pip install onnx onnxruntime onnxscript"

logger = logging.getLogger(__name__)


def form_of(graph: GraphSpec, precision: str) -> str:
    """The form of a graph in a precision that its types do not tell: step graphs alone are quantised."""
    return f"{FORM}-{precision}" if precision in QUANTISED_PRECISIONS and graph.name == "step" else FORM


def find_exported(graph: GraphSpec, form: str = FORM) -> Artifact | None:
    """The exported graph if there is one that computes what the model's code computes today."""
    artifact = read_artifact(artifact_key(graph, form))
    if artifact is not None and (differs := probe.difference(artifact.probe, probe.expected(graph))):
        logger.info("the exported %s graph is of other code (%s)", graph.name, differs)
        return None
    return artifact


def export_artifact(graph: GraphSpec) -> Artifact:
    """Export a graph. Takes a quarter of a minute; raises EngineError."""
    for package in ("onnx", "onnxscript"):
        try:
            importlib.import_module(package)
        except ImportError as error:
            raise EngineError(f"engine: NOT_INSTALLED: exporting needs {package}; {_INSTALL}") from error
    from lingbot_ros.engine.export.onnx_export import export_graph  # noqa: PLC0415  - needs the package onnx

    logger.info("exporting the %s graph, %d row(s): this is done once", graph.name, graph.batch)
    model, sources = export_graph(graph)
    return Artifact(model.SerializeToString(), sources, probe.expected(graph))
