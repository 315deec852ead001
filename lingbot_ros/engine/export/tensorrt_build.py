"""Compile an exported graph with TensorRT-RTX, which needs neither a GPU nor a driver for that.

Nothing here runs a plan: what was only compiled is called so.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.engine.interface import GraphSpec, Role
from lingbot_ros.errors import EngineError

_UNUSED = "Unused Input"
"""The only trace of an input that a parser dropped, such as the length of a cache."""


@dataclass(frozen=True)
class Compiled:
    """A plan, how many layers of each kind the parsed network had, and what parser and builder warned of."""

    plan: bytes
    layers: Mapping[str, int]
    warnings: tuple[str, ...]


def compile_graph(
    trt: ModuleType, graph: GraphSpec, model: bytes, weights: Mapping[str, NDArray[np.float32]]
) -> Compiled:
    """Parse and build in float32; `trt` is the module `tensorrt_rtx`, `weights` are handed over by address.

    Raises EngineError with GRAPH_REJECTED or BUILD_FAILED and what was logged.
    """
    log = _log_of(trt)
    log.lines.clear()
    builder = trt.Builder(log)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    _parse(trt.OnnxParser(network, log), graph, model, weights)
    layers = Counter(network.get_layer(index).type.name for index in range(network.num_layers))
    caches = sum(spec.role is Role.STATE for spec in graph.tensors)
    if (layers["KV_CACHE_UPDATE"], layers["ATTENTION_INPUT"]) != (caches, caches // 2):
        raise EngineError(
            f"engine: GRAPH_REJECTED: {caches} caches became {layers['KV_CACHE_UPDATE']} updates in place"
        )
    config = builder.create_builder_config()
    if caches:
        _set_lengths(builder, config, graph)
        _allow_decomposing(trt, network)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise EngineError(f"engine: BUILD_FAILED: the {graph.name} graph: {'; '.join(log.lines[-3:])}")
    if unused := [line for line in log.lines if _UNUSED in line]:
        raise EngineError(f"engine: GRAPH_REJECTED: the {graph.name} graph: {'; '.join(unused)}")
    return Compiled(bytes(plan), layers, tuple(log.lines))


def _parse(parser: Any, graph: GraphSpec, model: bytes, weights: Mapping[str, NDArray[np.float32]]) -> None:
    parser.load_model_proto(model)
    for name, array in weights.items():
        parser.load_initializer(name, array.ctypes.data, array.nbytes)
    if not parser.parse_model_proto():
        errors = [parser.get_error(index) for index in range(parser.num_errors)]
        said = "; ".join(f"{error.node_name()}: {error.desc()}" for error in errors)
        raise EngineError(f"engine: GRAPH_REJECTED: the {graph.name} graph: {said}")


def _set_lengths(builder: Any, config: Any, graph: GraphSpec) -> None:
    """The length that `Slice` cuts to decides about shapes, so that the builder must know its range."""
    tokens = next(spec.shape[1] for spec in graph.tensors if spec.name == "cos")
    slots = next(spec.shape[2] for spec in graph.tensors if spec.role is Role.STATE)
    profile = builder.create_optimization_profile()
    profile.set_shape_input("kv_len", *([length] * graph.batch for length in (tokens, slots, slots)))
    config.add_optimization_profile(profile)


def _allow_decomposing(trt: ModuleType, network: Any) -> None:
    """Fused attention knows 16 bits only; in float32 it may be taken apart."""
    for index in range(network.num_layers):
        layer = network.get_layer(index)
        if layer.type == trt.LayerType.ATTENTION_INPUT:
            layer.__class__ = trt.IAttentionInputLayer  # `get_layer` tells of no more than a layer
            layer.attention.decomposable = True


@cache
def _log_of(trt: ModuleType) -> Any:
    """One log per process: the first wins and later ones are ignored."""

    class Log(trt.ILogger):  # type: ignore[name-defined]
        def __init__(self) -> None:
            trt.ILogger.__init__(self)
            self.lines: list[str] = []

        def log(self, severity: Any, message: str) -> None:
            if severity <= trt.ILogger.Severity.WARNING:
                self.lines.append(f"{severity.name}: {message}")

    return Log()
