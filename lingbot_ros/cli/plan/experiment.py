"""Runs the experiment of `lingbot plan`, prints its table and writes its files."""

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from lingbot_ros.cli.model_arguments import load_options
from lingbot_ros.errors import ErrorCode, InputError, ResourceError
from lingbot_ros.evaluate.statistics.rates import wilson
from lingbot_ros.planning.experiment import Experiment, PlanOptions, TrialRecord, medians
from lingbot_ros.planning.receding import Horizon
from lingbot_ros.planning.solvers import SolverSettings
from lingbot_ros.tasks.registry import DEFAULT_MODEL, find_task
from lingbot_ros.world import World

_ENLARGE = 4


def run_experiment(args: argparse.Namespace) -> int:
    """See `lingbot_ros.cli.plan`."""
    for name in ("goals", "ahead"):
        if getattr(args, name) < 1:
            raise InputError(f"--{name}", getattr(args, name), "give 1 or more")
    if not args.trust_penalty >= 0:
        raise InputError("--trust-penalty", args.trust_penalty, "give 0 or more")
    if args.seed < 0:
        raise InputError("--seed", args.seed, "give 0 or more")
    options = PlanOptions(
        planner=args.planner,
        goals=args.goals,
        seed=args.seed,
        horizon=Horizon(args.horizon, args.execute, args.budget),
        solver=SolverSettings(args.solver, args.samples, args.iterations, deadline_s=args.deadline),
        images=args.read == "images",
        steps=args.ahead,
        film=args.film if args.out else 0,
        trust_penalty=args.trust_penalty,
        matched=args.matched,
    )
    task = find_task(args.env)
    world = World.load(options=load_options(args, {"name": DEFAULT_MODEL}))
    if args.out:
        _make(args.out)
    with tqdm(total=args.goals, unit="goal") as bar:

        def show(trial: TrialRecord) -> None:
            bar.update()
            done = bar.n
            bar.set_postfix_str(f"{trial.goal}: {'reached' if trial.success else 'not reached'} ({done} done)")

        experiment = task.plan_trials(world, options, show)
    print("\n".join(table(experiment, world.info.name)))
    if args.out:
        record = experiment.record(world.info.name, str(world.info.engine))
        (args.out / "planning.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        written = f"{args.out}/planning.json"
        if experiment.films:
            _write_film(args.out / "planning.mp4", experiment, world.info.fps)
            written += f", {args.out}/planning.mp4 (left the simulator, right the plan as imagined)"
        print(written)
    return 0


def table(experiment: Experiment, model: str) -> list[str]:
    """What the terminal shows. Times are wall time of one plan."""
    trials, options = experiment.trials, experiment.options
    reached, n = sum(trial.success for trial in trials), len(trials)
    rate = wilson(reached, n)
    planner = f"{options.planner} ({model})" if options.planner == "world" else options.planner
    lines = [
        f"planner    {planner}, {'images' if options.images else 'states'}",
        f"success    {reached} of {n} goals, {reached / n:.3f} (95 % interval {rate.low:.3f} to {rate.high:.3f}); "
        f"in the first plan {sum(trial.in_first_plan for trial in trials)}",
    ]
    plan_s = [s for trial in trials for s in trial.plan_s]
    if plan_s:
        model_s, rollouts = sum(sum(trial.model_s) for trial in trials), sum(sum(t.evaluated) for t in trials)
        lines.append(
            f"time       {medians(plan_s):.3f} s a plan (median), {np.percentile(plan_s, 95):.3f} s (95 %); "
            f"{rollouts / sum(plan_s):,.0f} rollouts/s; {100 * model_s / sum(plan_s):.0f} % in the world"
        )
    predicted, real = ([c for t in trials for c in costs(t)] for costs in (lambda t: t.predicted, lambda t: t.real))
    if predicted:
        lines.append(
            f"cost       plans that ran to their end without success: predicted {medians(predicted):.1f}, "
            f"real {medians(real):.1f} (medians, task units)"
        )
    problems = [trial for trial in trials if trial.problem]
    if problems:
        lines.append(f"problems   {len(problems)} goals could not be read, e.g. {problems[0].problem}")
    return lines


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ResourceError(
            f"--out: cannot make {folder} ({error.strerror}); choose another", ErrorCode.DISK
        ) from error


def _write_film(path: Path, experiment: Experiment, fps: float) -> None:
    film = None
    for real, imagined in experiment.films:
        for left, right in zip(real, imagined, strict=True):
            pair = np.concatenate([left, np.full((left.shape[0], 4, 3), 127, np.uint8), right], axis=1)[..., ::-1]
            large = np.repeat(np.repeat(pair, _ENLARGE, axis=0), _ENLARGE, axis=1)
            if film is None:
                size = (large.shape[1], large.shape[0])
                film = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), fps, size)
                if not film.isOpened():
                    raise ResourceError(f"--out: cannot write {path}; choose another folder", ErrorCode.DISK)
            film.write(large)
    if film is not None:
        film.release()
