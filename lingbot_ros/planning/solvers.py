"""CEM, iCEM, MPPI and ranking. All return the best candidate that they have evaluated, not their mean."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from lingbot_ros.errors import InputError
from lingbot_ros.planning.futures import Floats
from lingbot_ros.planning.noise import coloured, generator
from lingbot_ros.planning.plan import Plan, Progress
from lingbot_ros.planning.problem import Problem

SolverName = Literal["icem", "cem", "mppi", "rank"]
SOLVERS: tuple[str, ...] = get_args(SolverName)

_HEADROOM = 1.2


@dataclass(frozen=True)
class SolverSettings:
    """How to search.

    samples: candidates per iteration. elites: share of them that the next mean is made of (cem, icem). kept: elites
    that stay in the population (icem). alpha: how much of the old mean and spread remains. noise_colour: exponent of
    the noise over the parameters in their order; 0 = white. temperature: of the weights, as a share of the costs'
    spread (mppi). shrink: factor of the spread after an iteration (mppi). deadline_s: wall time; None = none.
    """

    solver: SolverName = "icem"
    samples: int = 64
    iterations: int = 8
    elites: float = 0.125
    kept: int = 3
    alpha: float = 0.1
    noise_colour: float = 0.0
    temperature: float = 0.1
    shrink: float = 0.7
    deadline_s: float | None = None

    def __post_init__(self) -> None:
        if self.solver not in SOLVERS:
            raise InputError("solver", self.solver, f"use one of {', '.join(SOLVERS)}")
        if self.samples < 2 or self.iterations < 1:
            raise InputError("samples", f"{self.samples} in {self.iterations} iterations", "give at least 2 in 1")
        if not 0 < self.elites <= 1:
            raise InputError("elites", self.elites, "give a share above 0, at most 1")
        if self.deadline_s is not None and not self.deadline_s > 0:
            raise InputError("deadline", self.deadline_s, "give a positive number of seconds")


def solve(
    problem: Problem,
    settings: SolverSettings,
    seed: int,
    warm: Floats | None = None,
    warm_spread: float = 0.3,
    on_progress: Callable[[Progress], bool] = lambda progress: True,
) -> Plan:
    """Search for the cheapest candidate.

    warm [D]: the mean to begin with, and the share of the first spread around it; None = the parametrisation's own.
    on_progress: called after each iteration; False ends the search. With a deadline, an iteration that would not end in
    time is not begun; the first one always is.
    """
    search = _Search(problem, settings, seed, warm, warm_spread)
    progress: list[Progress] = []
    missed = False
    for iteration in range(1 if settings.solver == "rank" else settings.iterations):
        if iteration and not search.fits():
            missed = True
            break
        progress.append(search.step(iteration))
        if not on_progress(progress[-1]):
            break
    return search.plan(missed, tuple(progress))


def path_integral_weights(costs: Floats, temperature: float) -> Floats:
    """The weights [B] of MPPI, which sum to 1: a candidate counts e times less for every `temperature` of cost more."""
    finite = np.isfinite(costs)
    above = np.where(finite, costs - costs[finite].min(), np.inf)
    weights = np.exp(-above / temperature)
    return np.asarray(weights / weights.sum())


def blend(new: Floats, old: Floats, alpha: float) -> Floats:
    """The step of CEM: a share `alpha` of the old remains."""
    return (1 - alpha) * new + alpha * old


class _Search:
    def __init__(
        self, problem: Problem, settings: SolverSettings, seed: int, warm: Floats | None, warm_spread: float
    ) -> None:
        self._problem, self._settings, self._seed = problem, settings, seed
        space = problem.parametrisation
        self._low, self._high = space.low, space.high
        self._mean = space.mean if warm is None else np.clip(warm, space.low, space.high)
        self._sigma = space.sigma * (1.0 if warm is None else warm_spread)
        self._started_s = self._begun_s = time.perf_counter()
        self._slowest_s = 0.0
        self._best, self._best_cost = self._mean, float(np.inf)
        self._kept = np.empty((0, len(self._mean)))
        self._before = problem.evaluated, problem.model_s

    def fits(self) -> bool:
        """Whether another iteration would end before the deadline, by the time that the slowest one took.

        What a listener does with an iteration belongs to its time.
        """
        now_s, deadline_s = time.perf_counter(), self._settings.deadline_s
        self._slowest_s = max(self._slowest_s, now_s - self._begun_s)
        return deadline_s is None or now_s - self._started_s + _HEADROOM * self._slowest_s <= deadline_s

    def step(self, iteration: int) -> Progress:
        """One population. Its first member is the mean, so that the result is never worse than the mean."""
        self._begun_s = time.perf_counter()
        settings = self._settings
        noise = coloured(generator(self._seed, iteration), settings.samples, len(self._mean), 1, settings.noise_colour)
        noise = noise[..., 0]
        noise[0] = 0.0
        samples = np.clip(self._mean + self._sigma * noise, self._low, self._high)
        if settings.solver == "icem" and len(self._kept):
            samples[-len(self._kept) :] = self._kept
        costs = self._problem.costs(samples)
        order = np.argsort(costs, kind="stable")
        if costs[order[0]] < self._best_cost:
            self._best, self._best_cost = samples[order[0]].copy(), float(costs[order[0]])
        chosen = order[: max(2, round(settings.elites * settings.samples))]
        chosen = chosen[np.isfinite(costs[chosen])]
        if len(chosen):
            self._update(samples, costs, chosen)
        elite = costs[chosen] if len(chosen) else np.array([np.inf])
        elite_std = float(elite.std()) if len(chosen) else np.inf
        return Progress(iteration, self._best_cost, float(elite.mean()), elite_std, self._best)

    def _update(self, samples: Floats, costs: Floats, chosen: np.ndarray) -> None:
        settings = self._settings
        if settings.solver == "mppi":
            spread = max(float(costs[np.isfinite(costs)].std()), 1e-12)
            self._mean = np.asarray(path_integral_weights(costs, settings.temperature * spread) @ samples)
            self._sigma = self._sigma * settings.shrink
            return
        elites = samples[chosen]
        self._mean = blend(elites.mean(axis=0), self._mean, settings.alpha)
        self._sigma = blend(elites.std(axis=0), self._sigma, settings.alpha)
        self._kept = elites[: settings.kept].copy()

    def plan(self, missed: bool, progress: tuple[Progress, ...]) -> Plan:
        evaluated, model_s = self._before
        return Plan(
            parameters=self._best,
            actions=self._problem.parametrisation.decode(self._best[None])[0],
            cost=self._best_cost,
            evaluated=self._problem.evaluated - evaluated,
            wall_s=time.perf_counter() - self._started_s,
            model_s=self._problem.model_s - model_s,
            deadline_missed=missed,
            progress=progress,
        )
