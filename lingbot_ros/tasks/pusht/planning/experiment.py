"""Planning trials in gym-pusht, with a world model, with the simulator itself, or with no planner at all."""

from collections.abc import Iterator

import numpy as np

from lingbot_ros.errors import InputError
from lingbot_ros.planning.experiment import PLANNERS, Experiment, OnTrial, PlanOptions, TrialRecord
from lingbot_ros.planning.futures import Floats
from lingbot_ros.planning.receding import trusted_horizon
from lingbot_ros.tasks.pusht.geometry import ARENA_SIZE
from lingbot_ros.tasks.pusht.planning.goals import Goal, make_goals
from lingbot_ros.tasks.pusht.planning.matched import make_matched_goals
from lingbot_ros.tasks.pusht.planning.trial import Trial, TrueEyes, WorldEyes, follow, run_trial
from lingbot_ros.tasks.pusht.simulator.simulator import PushTSimulator
from lingbot_ros.world.world import World

_SEEDS_APART = 1000


def plan_trials(world: World, options: PlanOptions, on_trial: OnTrial) -> Experiment:
    """Every goal once. A goal whose images cannot be read counts as a failure, with its reason.

    Raises InputError for an unknown planner, and for a model that does not suit the task.
    """
    if options.planner not in PLANNERS:
        raise InputError("planner", options.planner, f"use one of {', '.join(PLANNERS)}")
    frames, reliable = options.horizon.frames, world.info.max_horizon
    if options.planner == "world" and trusted_horizon(frames, reliable, 0) < frames:
        raise InputError("horizon", f"{frames} frames", f"{world.info.name} is reliable for {reliable}: give fewer")
    experiment, simulator = Experiment(options), PushTSimulator()
    make = make_matched_goals if options.matched else make_goals
    for number, goal in enumerate(make(options.goals, options.seed, options.steps)):
        try:
            trial, problem = _trial(world, simulator, goal, options, number), ""
        except InputError as error:
            trial, problem = Trial(goal.name), str(error)
        if trial.real:
            experiment.films.append((np.stack(trial.real), np.stack(trial.imagined)))
        experiment.trials.append(_record(trial, problem))
        on_trial(experiment.trials[-1])
    return experiment


def _trial(world: World, simulator: PushTSimulator, goal: Goal, options: PlanOptions, number: int) -> Trial:
    budget = options.horizon.budget
    if options.planner not in ("world", "simulator"):
        return follow(simulator, goal, _baseline(options.planner, goal, budget, number), budget)
    eyes: WorldEyes | TrueEyes
    if options.planner == "world":
        eyes = WorldEyes(world, goal, true_goal=not options.images, trust_penalty=options.trust_penalty)
    else:
        eyes = TrueEyes(simulator, goal)
    try:
        seed, film = options.seed + _SEEDS_APART * number, number < options.film
        return run_trial(simulator, goal, eyes, options.horizon, options.solver, seed, film=film)
    finally:
        eyes.close()


def _baseline(name: str, goal: Goal, budget: int, number: int) -> Iterator[Floats]:
    if name == "expert":
        yield from goal.actions
    elif name == "straight":
        for share in np.minimum(np.arange(1, budget + 1) / len(goal.actions), 1.0):
            yield goal.start.pusher + share * (goal.state.pusher - goal.start.pusher)
    elif name == "still":
        for _ in range(budget):
            yield goal.start.pusher
    else:
        rng = np.random.default_rng(number)
        for _ in range(budget):
            yield rng.uniform(0.0, ARENA_SIZE, 2)


def _record(trial: Trial, problem: str) -> TrialRecord:
    ended = trial.plans[: len(trial.real_costs)]
    return TrialRecord(
        goal=trial.goal,
        success=trial.success,
        steps=trial.steps,
        in_first_plan=trial.first_plan,
        plan_s=tuple(plan.wall_s for plan in trial.plans),
        model_s=tuple(plan.model_s for plan in trial.plans),
        evaluated=tuple(plan.evaluated for plan in trial.plans),
        predicted=tuple(plan.cost for plan in ended),
        real=tuple(trial.real_costs),
        problem=problem,
    )
