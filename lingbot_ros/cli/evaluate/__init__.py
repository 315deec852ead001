"""`lingbot evaluate`: which policy is better, played in what a model imagines, and may the answer be believed?"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from lingbot_ros.cli.evaluate import against, calibrate
from lingbot_ros.cli.model_arguments import add_model_arguments, load_options, option_words
from lingbot_ros.tasks.registry import DEFAULT_MODEL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lingbot_ros.evaluate.policies.policies_file import Kind
    from lingbot_ros.evaluate.policy_report.play import Plan
    from lingbot_ros.evaluate.policy_task import PolicyTask
    from lingbot_ros.world import World

HELP = "rank policies by imagined rollouts, with intervals and checks of the model"

_ROWS = 16


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare which policies play, from how many starts, and where the report goes."""
    parser.add_argument("--policies", type=Path, help="YAML file of policies (default: the task's own graded ones)")
    parser.add_argument("--rollouts", type=int, default=50, help="starts that each policy plays (default %(default)s)")
    parser.add_argument("--horizon", type=int, default=48, help="frames of a rollout (default %(default)s)")
    parser.add_argument("--threshold", type=float, help="score that counts as success (default: the task's)")
    parser.add_argument("--seed", type=int, default=0, help="seed of starts and policies (default %(default)s)")
    parser.add_argument("--out", type=Path, required=True, help="folder of the report; the same command resumes there")
    parser.add_argument("--reference", action="store_true", help="also play in the task's simulator, to compare")
    parser.add_argument("--no-controls", action="store_true", help="skip the three checks with wrong actions")
    parser.add_argument(
        "--judge",
        action="append",
        default=[],
        metavar="NAME=FOLDER",
        help="also ask a judge whose weights lie in FOLDER: lpips, fvd_videomae or vlm; may be repeated",
    )
    parser.add_argument("--rows", type=int, default=_ROWS, help="rollouts per forward pass (default %(default)s)")
    against.add_arguments(parser)
    calibrate.add_arguments(parser)
    add_model_arguments(parser, "what is not given is the card's, or decided by the machine")


def run(args: argparse.Namespace) -> int:
    """Play, judge and write the report. Returns 0 when it is written, whatever it says; 130 when interrupted."""
    from lingbot_ros.cli.evaluate.ros_policies import RosPolicies
    from lingbot_ros.errors import InputError
    from lingbot_ros.evaluate.policies.policies_file import KINDS
    from lingbot_ros.tasks.registry import find_task
    from lingbot_ros.world import World

    for name in ("rollouts", "horizon", "rows"):
        if getattr(args, name) < 1:
            raise InputError(f"--{name}", getattr(args, name), "give 1 or more")
    if args.seed < 0:
        raise InputError("--seed", args.seed, "give 0 or more")
    if args.calibrate is not None:
        return calibrate.run(args)
    if args.against is not None:
        return against.run(args)
    if args.threshold is not None and not 0 < args.threshold <= 1:
        raise InputError("--threshold", args.threshold, "give a score above 0, at most 1")
    world = World.load(options=load_options(args, {"name": DEFAULT_MODEL}))
    if world.card.task is None:
        raise InputError("model", world.info.name, "its card names no task, so nothing is known of starts and success")
    task = find_task(world.card.task).policies()
    with RosPolicies() as ros:
        return _evaluate(args, world, task, {**KINDS, "ros": ros.kind(task.rest, world.card.fps)})


def _evaluate(args: argparse.Namespace, world: "World", task: "PolicyTask", kinds: "Mapping[str, Kind]") -> int:
    from lingbot_ros.evaluate.policy_report.judged import load_judges
    from lingbot_ros.evaluate.policy_report.play import IMAGINED, REFERENCE, play
    from lingbot_ros.evaluate.policy_report.write import write_report
    from lingbot_ros.evaluate.rollouts.worlds import best_stepper

    judges = load_judges(_folders(args.judge), task) if args.judge else {}
    plan = _plan(args, world, task, kinds)
    total = len(plan.starts) * (len(plan.policies) + len(plan.controls))
    print(f"{total} rollouts of {args.horizon} frames in each arm, kept in {args.out}", flush=True)
    reference = None
    stepper, unbatched = best_stepper(world, args.rows)
    if unbatched:
        print(unbatched)
    try:
        if args.reference:
            with _Bar(REFERENCE, total) as bar:
                reference = play(plan, REFERENCE, task.reference(args.rows), task, args.out, bar.show)
        with _Bar(IMAGINED, total) as bar:
            imagined = play(plan, IMAGINED, stepper, task, args.out, bar.show)
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from there")
        return 130
    finally:
        for policy in plan.policies:
            policy.close()
    threshold = task.threshold if args.threshold is None else args.threshold
    _, said = write_report(
        args.out, plan, task, threshold, world.info.max_horizon, imagined, reference, _command(args), stepper, judges
    )
    print(said)
    return 0


def _folders(judges: list[str]) -> dict[str, Path]:
    from lingbot_ros.errors import InputError

    pairs = [judge.partition("=") for judge in judges]
    for name, equals, folder in pairs:
        if not (name and equals and folder):
            raise InputError("--judge", f"{name}{equals}{folder}", "give NAME=FOLDER, e.g. lpips=weights/lpips")
    return {name: Path(folder) for name, _, folder in pairs}


def _plan(args: argparse.Namespace, world: "World", task: "PolicyTask", kinds: "Mapping[str, Kind]") -> "Plan":
    from tqdm import tqdm

    from lingbot_ros.evaluate.controls import UNIVERSAL
    from lingbot_ros.evaluate.machine import describe_model
    from lingbot_ros.evaluate.policies.policies_file import read_policies
    from lingbot_ros.evaluate.policy_report.play import Plan

    path = args.policies or task.policies_file
    policies = read_policies(path, kinds)
    making = task.starts(args.rollouts, args.seed, args.out)
    starts = list(tqdm(making, desc="starts", total=args.rollouts, unit="start", disable=None, leave=False))
    settings = {"model": describe_model(world), "policies_file": path.read_text(encoding="utf-8"), "task": task.name}
    return Plan(policies, starts, args.horizon, args.seed, settings, () if args.no_controls else UNIVERSAL)


class _Bar:
    """A bar with the time to go. What is on disk already is shown as done with the first rollout that ends."""

    def __init__(self, arm: str, total: int) -> None:
        from tqdm import tqdm

        self._bar = tqdm(total=total, desc=arm, unit="rollout", smoothing=0.1)

    def show(self, now: object) -> None:
        from lingbot_ros.evaluate.rollouts.run import Progress

        assert isinstance(now, Progress)
        self._bar.update(now.done - self._bar.n)

    def __enter__(self) -> "_Bar":
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.close()


def _command(args: argparse.Namespace) -> str:
    """What to type for the same figures."""
    words = [f"lingbot evaluate --rollouts {args.rollouts} --horizon {args.horizon} --seed {args.seed}"]
    words += [f"--model {args.model or DEFAULT_MODEL}"]  # the default may be another one tomorrow
    words += [f"--policies {args.policies}"] if args.policies else []
    words += [f"--threshold {args.threshold:g}"] if args.threshold is not None else []
    words += ["--reference"] if args.reference else []
    words += ["--no-controls"] if args.no_controls else []
    words += [f"--judge {judge}" for judge in args.judge]
    words += [f"--rows {args.rows}"] if args.rows != _ROWS else []
    return " ".join([*words, *option_words(args), f"--out {args.out}"])
