"""The weights of an exported graph stay in the checkpoint: which parameter is which of the graph's constants."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Values = NDArray[Any]


@dataclass(frozen=True)
class WeightSource:
    """A parameter of the module, and whether the constant is its transpose (exporters turn linears around)."""

    parameter: str
    transposed: bool = False


def weight_of(source: WeightSource, parameters: Mapping[str, Tensor]) -> Values:
    """The constant's values; the parameter's own memory unless it must be turned around."""
    array = values_of(parameters[source.parameter])
    return np.ascontiguousarray(array.T) if source.transposed else array


def values_of(parameter: Tensor) -> Values:
    """A parameter as an array on its own memory; bfloat16, which NumPy lacks, as uint16 of the same bits."""
    tensor = parameter.detach().cpu()
    return tensor.view(torch.uint16).numpy() if tensor.dtype == torch.bfloat16 else tensor.numpy()


def find_source(name: str, values: Values, parameters: Mapping[str, Values]) -> WeightSource | None:
    """The parameter that a constant called `name` repeats; None for one that was computed while exporting."""
    if values.dtype.name == "bfloat16":
        values = values.view(np.uint16)
    likely = {name: parameters[name]} if name in parameters else parameters
    for parameter, array in likely.items():
        if array.dtype != values.dtype:
            continue
        if array.shape == values.shape and np.array_equal(array, values):
            return WeightSource(parameter)
        if array.ndim == 2 and array.T.shape == values.shape and np.array_equal(array.T, values):
            return WeightSource(parameter, transposed=True)
    return None
