"""The weights of an exported graph stay in the checkpoint: which parameter is which of the graph's constants."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True)
class WeightSource:
    """A parameter of the module, and whether the constant is its transpose (exporters turn linears around)."""

    parameter: str
    transposed: bool = False


def weight_of(source: WeightSource, parameters: Mapping[str, Tensor]) -> NDArray[np.float32]:
    """The constant's values; the parameter's own memory unless it must be turned around."""
    array: NDArray[np.float32] = parameters[source.parameter].detach().numpy()
    return np.ascontiguousarray(array.T) if source.transposed else array


def find_source(
    name: str, values: NDArray[np.float32], parameters: Mapping[str, NDArray[np.float32]]
) -> WeightSource | None:
    """The parameter that a constant called `name` repeats; None for one that was computed while exporting."""
    likely = {name: parameters[name]} if name in parameters else parameters
    for parameter, array in likely.items():
        if array.shape == values.shape and np.array_equal(array, values):
            return WeightSource(parameter)
        if array.ndim == 2 and array.T.shape == values.shape and np.array_equal(array.T, values):
            return WeightSource(parameter, transposed=True)
    return None
