"""Strengths of policies from pairwise preferences of people or judges (Bradley-Terry)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse.csgraph import connected_components  # type: ignore[import-untyped]

from lingbot_ros.errors import InputError

Floats = NDArray[np.float64]

_ROUNDS = 100_000
_TOLERANCE = 1e-12


@dataclass(frozen=True)
class Strengths:
    """log_strength [N], mean 0. `padded`: half a win was added to every ordered pair, as the wins leave some open."""

    log_strength: Floats
    padded: bool

    def beats(self, first: int, second: int) -> float:
        """The probability that policy `first` is preferred to policy `second`."""
        return float(1 / (1 + np.exp(self.log_strength[second] - self.log_strength[first])))


def bradley_terry(wins: ArrayLike) -> Strengths:
    """wins [N, N]: how often i was preferred to j. Raises InputError for another shape or negative counts."""
    table = np.asarray(wins, np.float64)
    if table.ndim != 2 or table.shape[0] != table.shape[1] or (table < 0).any():
        raise InputError("wins", f"shape {table.shape}", "give a square table of counts of 0 or more")
    parts, _ = connected_components(table > 0, directed=True, connection="strong")
    padded = parts > 1
    if padded:
        table = table + 0.5 * (1 - np.eye(len(table)))
    met, won = table + table.T, table.sum(axis=1)
    strength = np.ones(len(table))
    for _ in range(_ROUNDS):
        update = won / (met / (strength[:, None] + strength)).sum(axis=1)
        update /= np.exp(np.log(update).mean())
        moved = float(np.abs(update - strength).max())
        strength = update
        if moved < _TOLERANCE:
            break
    return Strengths(np.log(strength), padded)
