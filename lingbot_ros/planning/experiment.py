"""A planning experiment: many goals, one planner, and what came of it. What a task fills in knows the task."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from lingbot_ros.planning.receding import Horizon
from lingbot_ros.planning.solvers import SolverSettings

PLANNERS = ("world", "simulator", "expert", "straight", "random", "still")
"""The world model; the true simulator as the world, which is the ceiling; four baselines that do not plan."""


@dataclass(frozen=True)
class PlanOptions:
    """What to try. images: start and goal are read from images; otherwise the goal is known by its true state.

    steps: how far ahead of the start the expert's state lies that is the goal. film: of the first trials, so many.
    trust_penalty: see `planning.goal.GoalRequest`. matched: goals as far away as in the task's published benchmark.
    """

    planner: str
    goals: int
    seed: int
    horizon: Horizon
    solver: SolverSettings
    images: bool = True
    steps: int = 25
    film: int = 0
    trust_penalty: float = 0.0
    matched: bool = False


@dataclass(frozen=True)
class TrialRecord:
    """One goal. predicted, real: cost of each plan that was executed to its end, by the world and by the simulator."""

    goal: str
    success: bool
    steps: int
    in_first_plan: bool
    plan_s: tuple[float, ...] = ()
    model_s: tuple[float, ...] = ()
    evaluated: tuple[int, ...] = ()
    predicted: tuple[float, ...] = ()
    real: tuple[float, ...] = ()
    problem: str = ""


@dataclass
class Experiment:
    """All trials, and films of the first: (reality, imagination) uint8 [T, H, W, 3] each."""

    options: PlanOptions
    trials: list[TrialRecord] = field(default_factory=list)
    films: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)

    def record(self, model: str, engine: str) -> dict[str, Any]:
        """For JSON."""
        return {
            "schema": "lingbot.planning/1",
            "model": model,
            "engine": engine,
            "options": asdict(self.options),
            "successes": sum(trial.success for trial in self.trials),
            "trials": [asdict(trial) for trial in self.trials],
        }


OnTrial = Callable[[TrialRecord], None]


def medians(values: Sequence[float]) -> float | None:
    """The median; None without values."""
    return float(np.median(values)) if len(values) else None
