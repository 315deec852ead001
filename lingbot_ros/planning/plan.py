"""What a solver returns."""

from dataclasses import dataclass

from lingbot_ros.planning.futures import Floats


@dataclass(frozen=True)
class Progress:
    """One iteration: the best candidate so far as parameters [D], its cost, and the elites' costs."""

    iteration: int
    best_cost: float
    elite_mean: float
    elite_std: float
    best: Floats


@dataclass(frozen=True)
class Plan:
    """The best candidate that was evaluated.

    parameters [D], actions [T, A] in the model's units. cost: as the world predicts it. evaluated: candidates.
    wall_s, model_s: seconds in all, and of them in the world. deadline_missed: it ended before its iterations did.
    """

    parameters: Floats
    actions: Floats
    cost: float
    evaluated: int
    wall_s: float
    model_s: float
    deadline_missed: bool
    progress: tuple[Progress, ...]
