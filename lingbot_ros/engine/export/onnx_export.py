"""A graph as ONNX: structure in one file, weights left in the checkpoint."""

import logging
import warnings

import onnx
import torch
from onnxscript import ir
from torch import nn

from lingbot_ros.engine.export.attention import OPSET
from lingbot_ros.engine.export.positional import Positional, on_cpu
from lingbot_ros.engine.export.weights import WeightSource, find_source, values_of
from lingbot_ros.engine.interface import GraphSpec

SMALLEST = 1024
"""Elements. Smaller constants stay in the graph: they are its own, or cost nothing to repeat."""

_INPUT, _OUTPUT = "input.", "output."
_LOCATION = "checkpoint"
"""Stands where ONNX names a file; no such file exists, an engine is given the memory."""


@torch.no_grad()
def export_graph(graph: GraphSpec) -> tuple[onnx.ModelProto, dict[str, WeightSource]]:
    """The graph as ONNX without its weights, and where each of them comes from. Takes a quarter of a minute or more.

    Inputs and outputs have the names of the spec; every STATE comes back under `TensorSpec.output`.
    """
    module = on_cpu(Positional(graph).eval())
    inputs = tuple(spec.allocate("cpu") for spec in graph.inputs)
    registration = logging.getLogger("torch.onnx._internal.exporter._registration")
    level = registration.level
    registration.setLevel(logging.ERROR)  # it tells of torchvision, which nothing here uses
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of torch about itself
            program = torch.onnx.export(
                module,
                inputs,
                dynamo=True,
                opset_version=OPSET,
                verbose=False,
                input_names=[_INPUT + spec.name for spec in graph.inputs],
                output_names=[_OUTPUT + name for name in graph.outputs],
            )
    finally:
        registration.setLevel(level)
    assert program is not None
    # Before there is a protobuf message, which cannot exceed 2 GiB.
    sources = _take_out_weights(program.model, module)
    model: onnx.ModelProto = program.model_proto
    _rename(model.graph, {*(spec.name for spec in graph.inputs), *graph.outputs})
    # Shapes behind a `Slice` are declared longer than they are; engines infer the true ones.
    del model.graph.value_info[:]
    return model, sources


def _take_out_weights(model: ir.Model, module: nn.Module) -> dict[str, WeightSource]:
    """Replace constants that equal a parameter by references; returns constant -> source."""
    parameters = {name: values_of(tensor) for name, tensor in module.state_dict().items() if tensor.numel() >= SMALLEST}
    sources = {}
    for name, constant in model.graph.initializers.items():
        values = constant.const_value
        if values is not None and values.size >= SMALLEST:
            array = values.numpy()
            source = find_source(name, array, parameters)
            if source is not None:
                sources[name] = source
                constant.const_value = ir.ExternalTensor(
                    _LOCATION,
                    offset=0,
                    length=values.nbytes,
                    dtype=values.dtype,
                    shape=ir.Shape(array.shape),
                    name=name,
                )
    return sources


def _rename(graph: onnx.GraphProto, names: set[str]) -> None:
    """Give inputs and outputs their names; values inside that an exporter named alike step aside."""

    def renamed(name: str) -> str:
        for prefix in (_INPUT, _OUTPUT):
            if name.startswith(prefix):
                return name.removeprefix(prefix)
        return f"inner.{name}" if name in names else name

    for value in (*graph.input, *graph.output, *graph.initializer):
        value.name = renamed(value.name)
    for node in graph.node:
        node.input[:] = [renamed(name) for name in node.input]
        node.output[:] = [renamed(name) for name in node.output]
        del node.metadata_props[:]  # where in our code it came from: more bytes than the graph


def refer(initializer: onnx.TensorProto) -> None:
    """Leave the values of a constant out; what loads the graph hands them over."""
    size = len(initializer.raw_data)
    initializer.ClearField("raw_data")
    initializer.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", _LOCATION), ("offset", "0"), ("length", str(size))):
        initializer.external_data.add(key=key, value=value)
