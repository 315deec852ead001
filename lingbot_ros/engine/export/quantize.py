"""INT8 and FP8: linears of the blocks between Q/DQ nodes, which ONNX Runtime's quantiser places and calibrates.

Weights stay in the checkpoint in their own type: the graph quantises them, and an engine does that once when it loads.
"""

import logging
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from lingbot_ros.engine.artifacts import Artifact
from lingbot_ros.engine.export.onnx_export import refer
from lingbot_ros.engine.export.positional import Positional
from lingbot_ros.engine.export.weights import weight_of
from lingbot_ros.engine.interface import GraphSpec
from lingbot_ros.errors import InputError

Feed = Mapping[str, NDArray[np.generic]]
"""The inputs of one forward, by name."""

QUANTISED = ".blocks."
"""In the names of the parameters whose linears are quantised; the head and what embeds stay as they are."""

_LARGEST = 2 << 30
"""Bytes of a model with its weights that the quantiser can read from one file."""

_WARNING, _ERROR = 2, 3
_INT8_LEVELS, _FP8_LARGEST = 127, 448


def quantize(graph: GraphSpec, artifact: Artifact, precision: str, feeds: Sequence[Feed]) -> Artifact:
    """The graph with symmetric INT8 or FP8 (E4M3) linears: one scale per activation and per channel of a weight.

    `feeds` are inputs of real forwards; the largest magnitudes in them decide about the scales of activations.
    """
    import onnxruntime  # noqa: PLC0415  - seconds to import
    from onnxruntime.quantization import (  # noqa: PLC0415  - seconds to import
        CalibrationDataReader,
        CalibrationMethod,
        QuantFormat,
        QuantType,
        quantize_static,
    )

    class Feeds(CalibrationDataReader):  # type: ignore[misc, unused-ignore]
        def __init__(self) -> None:
            self._left: Iterator[Feed] = iter(feeds)

        def get_next(self) -> Feed | None:
            return next(self._left, None)

    model = _with_weights(graph, artifact)
    linears = {name for name, source in artifact.weights.items() if QUANTISED in source.parameter}
    nodes = [node.name for node in model.graph.node if node.op_type == "MatMul" and linears & {*node.input}]
    levels = logging.getLogger().level
    logging.getLogger().setLevel(logging.ERROR)  # it advises preparations that would fold our weights
    onnxruntime.set_default_logger_severity(_ERROR)  # while it calibrates, caches are copied
    try:
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder) / "model.onnx", Path(folder) / "quantised.onnx"
            onnx.save(model, source)
            quantize_static(
                source,
                target,
                Feeds(),
                quant_format=QuantFormat.QDQ,
                op_types_to_quantize=["MatMul"],  # never Attention, which it takes for an older operator
                nodes_to_quantize=nodes,
                per_channel=True,
                activation_type=QuantType.QInt8,
                weight_type=QuantType.QInt8,
                calibrate_method=CalibrationMethod.MinMax,
                extra_options={
                    "ActivationSymmetric": True,
                    "WeightSymmetric": True,
                    "AddQDQPairToWeight": True,
                    "OpTypesToExcludeOutputQuantization": ["MatMul"],
                },
            )
            quantised = onnx.load(target)
    finally:
        logging.getLogger().setLevel(levels)
        onnxruntime.set_default_logger_severity(_WARNING)
    if precision == "fp8":
        _to_fp8(quantised)
    for initializer in quantised.graph.initializer:
        if initializer.name in artifact.weights:
            refer(initializer)
    return replace(artifact, model=quantised.SerializeToString())


def _with_weights(graph: GraphSpec, artifact: Artifact) -> onnx.ModelProto:
    parameters = Positional(graph).weights()
    if (size := sum(tensor.nbytes for tensor in parameters.values())) >= _LARGEST:
        fix = "use f16 or bf16: a model of this size is not calibrated here"
        raise InputError("--precision", f"a model of {size / 1e9:.1f} GB", fix)
    model = onnx.load_from_string(artifact.model)
    for initializer in model.graph.initializer:
        if initializer.name in artifact.weights:
            values = np.ascontiguousarray(weight_of(artifact.weights[initializer.name], parameters))
            initializer.CopyFrom(numpy_helper.from_array(values, initializer.name))
    return model


def _to_fp8(model: onnx.ModelProto) -> None:
    """The same places and ranges in FP8: the largest magnitude becomes the largest number of E4M3."""
    ends = {n.input[k] for n in model.graph.node if n.op_type in ("QuantizeLinear", "DequantizeLinear") for k in (1, 2)}
    for initializer in model.graph.initializer:
        if initializer.name not in ends:
            continue
        values, name = numpy_helper.to_array(initializer), initializer.name
        if initializer.data_type == onnx.TensorProto.INT8:
            zeros, shape = bytes(values.size), list(initializer.dims)
            e4m3 = onnx.TensorProto.FLOAT8E4M3FN
            initializer.CopyFrom(onnx.helper.make_tensor(name, e4m3, shape, zeros, raw=True))
        else:
            scale = (values * (_INT8_LEVELS / _FP8_LARGEST)).astype(values.dtype)
            initializer.CopyFrom(numpy_helper.from_array(scale, name))
