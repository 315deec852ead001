"""`lingbot eval-model`: compare a model's predictions with the ground truth, by its task's metrics or on clips."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lingbot_ros.cli.model_arguments import add_model_arguments, load_options, option_words
from lingbot_ros.tasks.registry import DEFAULT_MODEL

if TYPE_CHECKING:
    from lingbot_ros.evaluate.evaluation import Evaluation, EvaluationOptions
    from lingbot_ros.world import World

HELP = "measure a model against its task's simulator or held-out clips, beside trivial baselines"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the windows, the metrics and the outputs of the report."""
    parser.add_argument("name", nargs="?", default=DEFAULT_MODEL, help="model name or folder (default %(default)s)")
    parser.add_argument(
        "--episodes", type=int, default=100, help="held-out episodes, one window of each (default %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="base seed of the held-out episodes (default %(default)s)")
    parser.add_argument("--horizon", type=int, default=64, help="frames to imagine open loop (default %(default)s)")
    parser.add_argument(
        "--context", type=int, default=4, help="real frames before the imagined ones (default %(default)s)"
    )
    parser.add_argument(
        "--compare", metavar="PRECISION", help="also measure this precision on the same windows, e.g. int8"
    )
    parser.add_argument(
        "--minimum",
        action="store_true",
        help="exit with 1 also for a missed minimum, not only for a missed required metric",
    )
    parser.add_argument("--floors", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--json", type=Path, help="write the report as JSON to this file")
    parser.add_argument("--out", type=Path, help="write the report as JSON, text and images to this folder")
    parser.add_argument(
        "--card", action="store_true", help="write the main metrics and max_horizon to the model's card.yaml"
    )
    parser.add_argument(
        "--trust",
        type=int,
        metavar="N",
        help="instead: calibrate the trust of imagined frames on N held-out rollouts; with --card: write it there",
    )
    parser.add_argument(
        "--data", type=Path, help="measure on the held-out episodes of this set of clips instead of the model's task"
    )
    add_model_arguments(parser, "default: the card's value, or chosen for this machine", name=False)


def run(args: argparse.Namespace) -> int:
    """Measure, print and save.

    Returns 0 when every required metric (with --minimum: and every minimum) is reached, else 1. Clips (--data) have no
    required metrics: 0.
    """
    from lingbot_ros.evaluate.evaluation import EvaluationOptions
    from lingbot_ros.training.export import update_card
    from lingbot_ros.world import World

    if args.floors:
        print("lingbot eval-model: --floors is deprecated, write --minimum", file=sys.stderr)
    load = load_options(args, {"name": args.name})
    world = World.load(options=load)
    if args.trust is not None:
        return _calibrate(world, args)
    options = EvaluationOptions(
        args.episodes,
        args.seed,
        args.context,
        args.horizon,
        other=World.load(options=replace(load, precision=args.compare)) if args.compare else None,
        load=lambda threads: World.load(options=replace(load, threads=threads)),
    )
    evaluation = _evaluate(world, args.data, options)
    print(evaluation.text())
    if args.json:
        evaluation.save_json(args.json)
    if args.out:
        evaluation.save(args.out)
        print(f"wrote {', '.join(sorted(path.name for path in args.out.iterdir()))} to {args.out}")
    if args.card:
        update_card(world.card.folder / "card.yaml", evaluation.card_entries(_command(args, world.info.name)))
    reached = evaluation.meets_required and (evaluation.meets_minimum or not (args.minimum or args.floors))
    return 0 if reached else 1


def _calibrate(world: "World", args: argparse.Namespace) -> int:
    """Calibrate what the world's sessions doubt, print what that is worth and, if asked, write it to the card."""
    from lingbot_ros.checkpoints.architecture import to_plain
    from lingbot_ros.errors import InputError
    from lingbot_ros.tasks.registry import find_task
    from lingbot_ros.training.export import update_card

    if world.card.task is None:
        raise InputError("model", world.info.name, "its card names no task that could calibrate its trust")
    spec = find_task(world.card.task).calibrate_trust(world, args.trust, args.seed)
    print(spec.definition)
    for name, value in spec.measured.items():
        print(f"  {name.replace('_', ' ')}: {value:g}")
    if args.card:
        update_card(world.card.folder / "card.yaml", {"trust": to_plain(spec)})
    return 0


def _evaluate(world: "World", data: Path | None, options: "EvaluationOptions") -> "Evaluation":
    """Evaluate on the given clips, else by the model's task."""
    from lingbot_ros.datasets.reader import ClipSet
    from lingbot_ros.errors import InputError
    from lingbot_ros.evaluate.clip_evaluation import evaluate_clips
    from lingbot_ros.tasks.registry import find_task

    if data is not None:
        return evaluate_clips(world, ClipSet(data), options)
    if world.card.task is None:
        fix = "its card names no task: give --data DIR, a set of clips that it was not trained on"
        raise InputError("model", world.info.name, fix)
    return find_task(world.card.task).evaluate(world, options)


def _command(args: argparse.Namespace, name: str) -> str:
    """The command that repeats the measurement."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    words = [f"lingbot eval-model {name} --episodes {args.episodes} --seed {args.seed}"]
    for key in ("data", "horizon", "context"):
        if getattr(args, key) != parser.get_default(key):
            words.append(f"--{key} {getattr(args, key)}")
    words += option_words(args)
    return " ".join([*words, f"--compare {args.compare}"] if args.compare else words)
