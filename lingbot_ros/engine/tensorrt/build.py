"""Compile an exported graph with TensorRT, or with TensorRT-RTX, which needs neither a GPU nor a driver for that.

Nothing here runs a plan: what was only compiled is called so.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import torch

from lingbot_ros.engine.export.weights import Values
from lingbot_ros.engine.interface import GraphSpec, Role
from lingbot_ros.engine.tensorrt.library import log_of
from lingbot_ros.engine.tensorrt.progress import BuildProgress, monitor_of
from lingbot_ros.errors import EngineError, ErrorCode, InputError

_HALF = (torch.float16, torch.bfloat16)
_TYPES = {torch.float32: "FLOAT", torch.float16: "HALF", torch.bfloat16: "BF16", torch.int64: "INT64"}

_UNUSED = "Unused Input"
"""The only trace of an input that a parser dropped, such as the length of a cache."""


@dataclass(frozen=True)
class Compiled:
    """A plan, how many layers of each kind the parsed network had, and what parser and builder warned of."""

    plan: memoryview
    layers: Mapping[str, int]
    warnings: tuple[str, ...]


def compile_graph(
    trt: ModuleType,
    graph: GraphSpec,
    model: bytes,
    weights: Mapping[str, Values],
    targets: Sequence[str] = (),
    progress: BuildProgress | None = None,
    allows_tf32: bool = False,
) -> Compiled:
    """Parse and build; `trt` is the module, `weights` are handed over by address, types are those of the graph.

    `allows_tf32`: products of float32 may be rounded to 10 bits, as PyTorch's convolutions on a GPU are.

    `targets` are compute capabilities such as SM86, for TensorRT-RTX alone; none: what it takes by default, or the GPU
    that is here. Raises EngineError with GRAPH_REJECTED, BUILD_FAILED or OUT_OF_MEMORY and what was logged, and with
    the code CANCELED when `progress` was cancelled. The driver must have been checked where the builder needs one.
    """
    log = log_of(trt)
    log.lines.clear()
    builder = trt.Builder(log)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    _parse(trt.OnnxParser(network, log), graph, model, weights)
    layers = Counter(network.get_layer(index).type.name for index in range(network.num_layers))
    _check_types(trt, graph, network)
    _check_caches(trt, graph, network, layers)
    config = builder.create_builder_config()
    if any(spec.role is Role.STATE for spec in graph.tensors):
        _set_lengths(builder, config, graph)
    if all(spec.dtype not in _HALF for spec in graph.tensors):
        if not allows_tf32:
            config.clear_flag(trt.BuilderFlag.TF32)
        _allow_decomposing(trt, network)
    if targets:
        _set_targets(trt, config, targets)
    if progress is not None:
        config.progress_monitor = monitor_of(trt, progress)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise _build_error(graph, log.lines, progress)
    if unused := [line for line in log.lines if _UNUSED in line]:
        raise EngineError(f"engine: GRAPH_REJECTED: the {graph.name} graph: {'; '.join(unused)}")
    return Compiled(memoryview(plan), layers, tuple(log.lines))


def data_type(trt: ModuleType, dtype: torch.dtype) -> Any:
    """The library's name for a type of PyTorch's."""
    return getattr(trt.DataType, _TYPES[dtype])


def _check_types(trt: ModuleType, graph: GraphSpec, network: Any) -> None:
    """A plan reads and writes memory that the graph's description allocates: another type would run over its end."""
    found = [network.get_input(index) for index in range(network.num_inputs)]
    found += [network.get_output(index) for index in range(network.num_outputs)]
    wanted = {name: data_type(trt, spec.dtype) for spec in graph.tensors for name in (spec.name, spec.output)}
    for tensor in found:
        if tensor.name in wanted and tensor.dtype != wanted[tensor.name]:
            raise EngineError(
                f"engine: GRAPH_REJECTED: {tensor.name} of the {graph.name} graph is {tensor.dtype.name}, not "
                f"{wanted[tensor.name].name}"
            )


def _check_caches(trt: ModuleType, graph: GraphSpec, network: Any, layers: Mapping[str, int]) -> None:
    """Every cache must be updated in place, and every attention to it must read no more than its valid prefix."""
    caches = sum(spec.role is Role.STATE for spec in graph.tensors)
    if layers.get("KV_CACHE_UPDATE", 0) != caches:
        raise EngineError(
            f"engine: GRAPH_REJECTED: {caches} caches became {layers.get('KV_CACHE_UPDATE', 0)} updates in place"
        )
    cut = sum(_is_cut(layer) for layer in _attentions(trt, network))
    if cut != caches // 2:
        raise EngineError(
            f"engine: GRAPH_REJECTED: {caches // 2} layers attend to a cache, {cut} of them to its filled part alone"
        )


def _is_cut(layer: Any) -> bool:
    """Whether keys and values have a length that is known when the graph runs."""
    return all(layer.get_input(index).shape[2] == -1 for index in (1, 2))


def _attentions(trt: ModuleType, network: Any) -> Iterator[Any]:
    for index in range(network.num_layers):
        layer = network.get_layer(index)
        if layer.type == trt.LayerType.ATTENTION_INPUT:
            yield layer


def _set_targets(trt: ModuleType, config: Any, targets: Sequence[str]) -> None:
    if not hasattr(config, "set_compute_capability"):
        raise InputError(
            "--targets", " ".join(targets), f"{trt.__name__} builds for the GPU that is here; leave it out"
        )
    known = {name for name in dir(trt.ComputeCapability) if name.startswith("SM")}
    for target in targets:
        if target not in known:
            raise InputError("--targets", target, f"use some of {', '.join(sorted(known, key=_number))}")
    config.num_compute_capabilities = len(targets)
    for index, target in enumerate(targets):
        config.set_compute_capability(getattr(trt.ComputeCapability, target), index)


def _number(target: str) -> int:
    return int(target.removeprefix("SM"))


def _build_error(graph: GraphSpec, lines: Sequence[str], progress: BuildProgress | None) -> BaseException:
    """What a builder that returned nothing has logged: it raises no exception."""
    if progress is not None and progress.raised is not None:
        return progress.raised
    if progress is not None and progress.cancelled:
        return EngineError(f"engine: the build of the {graph.name} graph was cancelled", ErrorCode.CANCELED)
    said = "; ".join([line for line in lines if not line.startswith("WARNING")][-3:])
    if re.search(r"out ?of ?memory", said, re.IGNORECASE):
        return EngineError(f"engine: OUT_OF_MEMORY: building the {graph.name} graph: {said}", ErrorCode.OUT_OF_MEMORY)
    return EngineError(f"engine: BUILD_FAILED: the {graph.name} graph: {said}")


def _parse(parser: Any, graph: GraphSpec, model: bytes, weights: Mapping[str, Values]) -> None:
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
    for layer in _attentions(trt, network):
        layer.__class__ = trt.IAttentionInputLayer  # `get_layer` tells of no more than a layer
        layer.attention.decomposable = True
