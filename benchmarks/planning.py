"""What planning in Push-T reaches, on the same goals for all settings, one thread.

    ./lingbot python benchmarks/planning.py candidates --goals 50 --json FILE

candidates: 10 to 300 of them, with and without a penalty on what is not to be believed. budgets: candidates times
iterations, against seconds. horizon: goals 50 frames ahead, and their ceiling. pixels: forks of pusht-small, no poses.
deadline: whether plans come in time, and how often they could.

Success, with Wilson's interval of 95 %, counts as in `lingbot plan`. predicted and real: median cost of plans that ran
to their end, units. cpu_s: processor time per plan, with all that belongs to it: reading images, simulating.
"""

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from lingbot_ros.evaluate.machine import describe_machine
from lingbot_ros.evaluate.statistics.rates import wilson
from lingbot_ros.planning.experiment import PlanOptions, TrialRecord, medians
from lingbot_ros.planning.receding import Horizon
from lingbot_ros.planning.solvers import SolverSettings, solve
from lingbot_ros.tasks.pusht.planning.experiment import plan_trials
from lingbot_ros.tasks.pusht.planning.goals import make_goals
from lingbot_ros.tasks.pusht.planning.trial import WorldEyes
from lingbot_ros.world import World

_ONCE, _TWICE_AS_FAR = Horizon(25, 25, 50), Horizon(50, 50, 100)
_RELIABLE = Horizon(24, 24, 48)
"""pusht-small has been measured to be reliable for 24 frames."""
_PENALTY = 50.0
_BUDGETS = ((200, 5), (300, 4), (128, 8), (64, 8))
_DEADLINES_S = (0.1, 0.25)
_PLANS = 100


def trials(model: str, name: str, goals: int, seed: int, **options: Any) -> dict[str, Any]:
    """Success and costs of one setting."""
    world = World.load(model, threads=1)
    records: list[TrialRecord] = []
    began_s = time.process_time()
    plan_trials(world, PlanOptions(goals=goals, seed=seed, **options), records.append)
    cpu_s = time.process_time() - began_s
    world.close()
    successes, plans = sum(record.success for record in records), sum(len(record.plan_s) for record in records)
    rate = wilson(successes, goals)
    return {
        "setting": name,
        "successes": successes,
        "goals": goals,
        "low": round(rate.low, 3),
        "high": round(rate.high, 3),
        "plans": plans,
        "cpu_s": round(cpu_s / plans, 3),
        "plan_s": medians([value for record in records for value in record.plan_s]),
        "model_s": medians([value for record in records for value in record.model_s]),
        "predicted": medians([value for record in records for value in record.predicted]),
        "real": medians([value for record in records for value in record.real]),
    }


def candidates(goals: int) -> Iterator[dict[str, Any]]:
    """More candidates must never hurt: a model that can be exploited is, the more the longer one searches."""
    for penalty in (0.0, _PENALTY):
        for samples in (10, 50, 200, 300):
            name = f"{samples} candidates, penalty {penalty:g}"
            settings = SolverSettings(samples=samples)
            given = {"planner": "world", "horizon": _ONCE, "solver": settings, "trust_penalty": penalty}
            yield trials("pusht-lasting", name, goals, 0, **given)


def budgets(goals: int) -> Iterator[dict[str, Any]]:
    """How candidates and iterations share the time of a plan."""
    for samples, iterations in _BUDGETS:
        settings = SolverSettings(samples=samples, iterations=iterations)
        given = {"planner": "world", "horizon": _ONCE, "solver": settings}
        yield trials("pusht-lasting", f"{samples} x {iterations}", goals, 1, **given)


def horizon(goals: int) -> Iterator[dict[str, Any]]:
    """Goals 50 frames ahead, a budget of 100; the simulator as the world is the ceiling, on a fifth of the goals."""
    for planner, count in (("world", goals), ("simulator", max(1, goals // 5))):
        settings = SolverSettings(samples=200 if planner == "world" else 64)
        given = {"planner": planner, "horizon": _TWICE_AS_FAR, "solver": settings, "steps": 50}
        yield trials("pusht-lasting", f"50 frames ahead, {planner}", count, 0, **given)


def pixels(goals: int) -> Iterator[dict[str, Any]]:
    """The same goals through images alone, with as many candidates as fit 2 s, beside as many with poses."""
    for model in ("pusht-small", "pusht-lasting"):
        settings = SolverSettings("rank", samples=4)
        given = {"planner": "world", "horizon": _RELIABLE, "solver": settings}
        yield trials(model, f"{model}, 4 candidates, ranked", goals, 0, **given)


def deadline(goals: int) -> Iterator[dict[str, Any]]:
    """Wall time from the question to the plan, on the goals' starts; and the rate at 64 x 8 by processor time."""
    world = World.load("pusht-lasting", threads=1)
    eyes = [WorldEyes(world, goal, true_goal=False, trust_penalty=0.0) for goal in make_goals(goals, seed=0)]
    for deadline_s in _DEADLINES_S:
        settings = SolverSettings(samples=64, iterations=1000, deadline_s=deadline_s)
        took_s = []
        for number in range(_PLANS):
            began_s = time.perf_counter()
            solve(eyes[number % goals].problem(25), settings, number)
            took_s.append(time.perf_counter() - began_s)
        yield {
            "setting": f"deadline {deadline_s:g} s",
            "plans": _PLANS,
            "in_time": round(float(np.mean(np.array(took_s) <= 1.1 * deadline_s)), 3),
            "p95_s": round(float(np.percentile(took_s, 95)), 3),
        }
    settings, cpu_s = SolverSettings(samples=64, iterations=8), []
    for number in range(_PLANS):
        began_s = time.process_time()
        solve(eyes[number % goals].problem(25), settings, number)
        cpu_s.append(time.process_time() - began_s)
    rate_hz = 1.0 / float(np.median(cpu_s))
    yield {"setting": "64 x 8 over 25 frames", "plans": _PLANS, "cpu_s": medians(cpu_s), "rate_hz": round(rate_hz, 2)}


PARTS: dict[str, Callable[[int], Iterator[dict[str, Any]]]] = {
    "candidates": candidates, "budgets": budgets, "horizon": horizon, "pixels": pixels, "deadline": deadline,
}  # fmt: skip


def main() -> None:
    """Measure the parts that were named; print a line for each setting, and write them down if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="+", choices=tuple(PARTS))
    parser.add_argument("--goals", type=int, default=20, help="of each setting (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="rewritten after each setting; other parts in it are kept")
    args = parser.parse_args()
    report: dict[str, Any] = {}
    if args.json is not None and args.json.is_file():
        report = json.loads(args.json.read_text(encoding="utf-8"))
    report["machine"] = describe_machine()
    for part in args.parts:
        report[part] = []
        for row in PARTS[part](args.goals):
            row["load"] = round(os.getloadavg()[0], 1)
            report[part].append(row)
            print(json.dumps(row), flush=True)
            if args.json is not None:
                args.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
