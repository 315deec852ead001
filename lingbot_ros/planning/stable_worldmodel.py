"""The planning protocol of the package stable-worldmodel, in both directions. The package itself is not imported.

Its solvers ask a cost model for `get_cost(info, candidates)`; its policies ask a solver to `configure` and `solve`.
`info` holds what its environments tell, one entry per environment; candidates are in units of its environments.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from lingbot_ros.errors import InputError
from lingbot_ros.planning.futures import Floats
from lingbot_ros.planning.problem import Problem
from lingbot_ros.planning.solvers import SolverSettings, solve

Info = Mapping[str, np.ndarray]


class Situation(Protocol):
    """One environment at one instant, as a planning problem."""

    problem: Problem

    def actions_of(self, candidates: Floats) -> Floats:
        """Candidates [B, T, A] in the environment's units as the model's actions [B, T, A], clipped to their limits."""
        ...

    def candidate_of(self, actions: Floats) -> Floats:
        """The inverse for one plan [T, A]."""
        ...

    def close(self) -> None:
        """Free what the world holds for it."""
        ...


Reader = Callable[[Info, int], Situation]
"""Makes a situation of the `info` of one environment, for plans of so many frames. Raises InputError."""


class WorldCost:
    """Our rollouts and costs as the cost model of the package's solvers.

    action_dim: of the environment; what the package calls an action block is several actions in one row.
    """

    def __init__(self, read: Reader, action_dim: int) -> None:
        self._read, self._action_dim = read, action_dim
        self._situations: dict[int, tuple[bytes, Situation]] = {}

    def get_cost(self, info_dict: Mapping[str, Any], action_candidates: Tensor) -> Tensor:
        """Costs [E, S] of candidates [E, S, H, block * A]; every entry of the info is [E, S, ...].

        A solver asks again and again about the same instant, which is read once.
        """
        environments, samples, horizon, width = action_candidates.shape
        if width % self._action_dim:
            raise InputError("action_candidates", f"rows of {width}", f"give whole actions of {self._action_dim}")
        frames = horizon * (width // self._action_dim)
        costs = []
        for number in range(environments):
            info = {key: _array(value)[number, 0] for key, value in info_dict.items() if _is_array(value)}
            situation = self._situation(number, info, frames)
            candidates = _array(action_candidates)[number].reshape(samples, frames, self._action_dim)
            problem = situation.problem
            futures = problem.rollouts.roll(situation.actions_of(np.asarray(candidates, np.float64)))
            costs.append(problem.cost(futures))
        return torch.from_numpy(np.stack(costs)).to(action_candidates)

    def criterion(self, info_dict: Mapping[str, Any], action_candidates: Tensor) -> Tensor:
        """The same; the package's protocol names both."""
        return self.get_cost(info_dict, action_candidates)

    def close(self) -> None:
        """Free what the world holds."""
        for _, situation in self._situations.values():
            situation.close()
        self._situations.clear()

    def _situation(self, number: int, info: Info, frames: int) -> Situation:
        instant = b"".join([str(frames).encode(), *(info[key].tobytes() for key in sorted(info))])
        known = self._situations.get(number)
        if known is not None and known[0] == instant:
            return known[1]
        if known is not None:
            del self._situations[number]
            known[1].close()
        situation = self._read(info, frames)
        self._situations[number] = instant, situation
        return situation


class WorldSolver:
    """Our solvers as one of the package's, for its `WorldModelPolicy`. Each search is a new one, without warm start."""

    def __init__(self, read: Reader, settings: SolverSettings, seed: int = 0) -> None:
        self._read, self._settings, self._seed = read, settings, seed
        self.n_envs, self.action_dim, self.horizon = 0, 0, 0
        self._width = 0

    def configure(self, *, action_space: Any, n_envs: int, config: Any) -> None:
        """action_space: of all environments, [E, A]. config: with horizon and action_block."""
        self.n_envs, self.horizon = n_envs, int(config.horizon)
        self._width = int(np.prod(action_space.shape[1:]))
        self.action_dim = self._width * int(config.action_block)

    def __call__(self, info_dict: Mapping[str, Any], init_action: Tensor | None = None) -> dict[str, Any]:
        """See `solve`."""
        return self.solve(info_dict, init_action)

    def solve(self, info_dict: Mapping[str, Any], init_action: Tensor | None = None) -> dict[str, Any]:
        """`actions` [E, H, block * A] of the best plans, and their `costs`; every entry of the info is [E, ...]."""
        arrays = {key: _array(value) for key, value in info_dict.items() if _is_array(value)}
        plans, costs = [], []
        for number in range(len(next(iter(arrays.values())))):
            info = {key: value[number] for key, value in arrays.items()}
            situation = self._read(info, self.horizon * self.action_dim // self._width)
            try:
                plan = solve(situation.problem, self._settings, self._seed)
                plans.append(situation.candidate_of(plan.actions).reshape(self.horizon, self.action_dim))
            finally:
                situation.close()
            self._seed += 1
            costs.append(plan.cost)
        return {"actions": torch.from_numpy(np.stack(plans)).float(), "costs": costs}


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray | Tensor) and (isinstance(value, Tensor) or value.dtype.kind not in "USO")


def _array(value: Any) -> np.ndarray:
    return value.cpu().numpy() if isinstance(value, Tensor) else np.asarray(value)
