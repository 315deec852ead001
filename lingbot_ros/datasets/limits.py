"""The range of each action component, which training scales to -1..1 and a session accepts."""

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.errors import InputError

# A component that never changes still needs a range that can be divided by.
_CONSTANT_HALF_SPAN = 1.0


def quantile_limits(actions: NDArray[np.float32], quantile: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """(low, high) per component of `actions` [N, dim], between the quantiles `quantile` and 1 - `quantile`.

    One wild value must not squeeze all others together; what lies beyond is clipped when it is read. A component
    that never changes gets 1 to either side.
    """
    if not 0 <= quantile < 0.5:
        raise InputError("quantile", quantile, "give 0 (smallest to largest) to less than 0.5")
    low, high = np.quantile(actions.astype(np.float64), (quantile, 1 - quantile), axis=0)
    constant = high <= low
    low[constant] -= _CONSTANT_HALF_SPAN
    high[constant] += _CONSTANT_HALF_SPAN
    return tuple(map(float, low)), tuple(map(float, high))


def check_limits(low: tuple[float, ...], high: tuple[float, ...], names: tuple[str, ...]) -> None:
    """Raise InputError unless there is a range for each of the components `names`."""
    for field, values in (("low", low), ("high", high)):
        if len(values) != len(names):
            raise InputError(field, list(values), f"give {len(names)} numbers: {', '.join(names)}")
    for name, lower, upper in zip(names, low, high, strict=True):
        if not (np.isfinite(lower) and np.isfinite(upper) and lower < upper):
            raise InputError(f"range of {name}", f"{lower:g} to {upper:g}", "give finite numbers, the lower one first")


def scale(actions: NDArray[np.float32], low: tuple[float, ...], high: tuple[float, ...]) -> NDArray[np.float32]:
    """Actions [..., dim] in their own units -> -1..1, clipped to the range."""
    bottom, top = np.array(low), np.array(high)
    return np.clip(2 * (actions - bottom) / (top - bottom) - 1, -1, 1).astype(np.float32)


def clip(actions: NDArray[np.float32], low: tuple[float, ...], high: tuple[float, ...]) -> NDArray[np.float64]:
    """Actions [..., dim] in their own units, within the range that a session accepts."""
    return np.clip(actions.astype(np.float64), low, high)
