"""A planning problem: candidates go in, costs come out, and what that took is counted."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lingbot_ros.planning.futures import Floats, Futures, Rollouts
from lingbot_ros.planning.parametrisation import Parametrisation

Cost = Callable[[Futures], Floats]
"""Costs [B] of B futures; lower is better."""


@dataclass
class Problem:
    """What to search over, how to ask the world, and what is good. max_rows: candidates per call of the world."""

    parametrisation: Parametrisation
    rollouts: Rollouts
    cost: Cost
    max_rows: int = 1024
    evaluated: int = 0
    model_s: float = 0.0

    def costs(self, parameters: Floats) -> Floats:
        """Costs [B] of parameters [B, D]; a cost that is not finite counts as infinite."""
        parts = [self._costs(parameters[first : first + self.max_rows]) for first in
                 range(0, len(parameters), self.max_rows)]  # fmt: skip
        return np.concatenate(parts)

    def _costs(self, parameters: Floats) -> Floats:
        started_s = time.perf_counter()
        futures = self.rollouts.roll(self.parametrisation.decode(parameters))
        self.model_s += time.perf_counter() - started_s
        self.evaluated += len(parameters)
        costs = np.asarray(self.cost(futures), np.float64)
        return np.where(np.isfinite(costs), costs, np.inf)
