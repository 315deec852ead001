"""`lingbot eval-model`: how well a Push-T model foresees what the simulator does."""

import argparse
from dataclasses import replace
from pathlib import Path

from lingbot_ros.cli.model_arguments import add_model_arguments, load_options, option_words

HELP = "measure a model against the simulator, beside trivial baselines"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what is measured, on what, and where the report goes."""
    parser.add_argument("name", nargs="?", default="pusht-small", help="model name or folder (default %(default)s)")
    parser.add_argument(
        "--episodes", type=int, default=100, help="held-out episodes, one window of each (default %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="base seed of the held-out episodes (default %(default)s)")
    parser.add_argument("--horizon", type=int, default=64, help="frames to imagine open loop (default %(default)s)")
    parser.add_argument("--context", type=int, default=4, help="real frames to begin with (default %(default)s)")
    parser.add_argument("--compare", metavar="PRECISION", help="try this precision too, on the same windows (int8)")
    parser.add_argument("--floors", action="store_true", help="return 1 for a missed floor as for a missed demand")
    parser.add_argument("--json", type=Path, help="write the report as JSON to this file")
    parser.add_argument(
        "--out", type=Path, help="write report.json, report.txt, table.md, strips.png and curves.png to this folder"
    )
    parser.add_argument(
        "--card", action="store_true", help="write main figures and max_horizon to the model's card.yaml"
    )
    parser.add_argument(
        "--data", type=Path, help="judge on the held-back episodes of this set of own clips, not against Push-T"
    )
    add_model_arguments(parser, "what is not given is the card's, or decided by the machine", name=False)


def run(args: argparse.Namespace) -> int:
    """Measure, print and save.

    Returns 0 when every demand on the model is met (with --floors: and every floor), 1 when one is missed. On own clips
    (--data) nothing is demanded: 0.
    """
    if args.data is not None:
        from lingbot_ros.cli.eval_model.clips import report_own_data

        return report_own_data(args)
    from lingbot_ros.tasks.pusht.report.card_quality import card_entries
    from lingbot_ros.tasks.pusht.report.evaluation import run_trial
    from lingbot_ros.tasks.pusht.report.files import save_json, save_report
    from lingbot_ros.tasks.pusht.report.text import report_text
    from lingbot_ros.training.export import update_card
    from lingbot_ros.world import World

    options = load_options(args, {"name": args.name})
    world = World.load(options=options)
    other = World.load(options=replace(options, precision=args.compare)) if args.compare else None
    trial = run_trial(
        world,
        args.episodes,
        args.seed,
        args.context,
        args.horizon,
        other=other,
        load=lambda threads: World.load(options=replace(options, threads=threads)),
    )
    print(report_text(trial.report))
    if args.json:
        save_json(args.json, trial.report)
    if args.out:
        save_report(args.out, trial.report, trial.judged, trial.windows, trial.imagined)
    if args.card:
        update_card(world.card.folder / "card.yaml", card_entries(trial.report, _command(args, world.info.name)))
    reached = trial.report.meets_demands and (trial.report.meets_floors or not args.floors)
    return 0 if reached else 1


def _command(args: argparse.Namespace, name: str) -> str:
    """What to type for the same figures."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    words = [f"lingbot eval-model {name} --episodes {args.episodes} --seed {args.seed}"]
    for key in ("horizon", "context"):
        if getattr(args, key) != parser.get_default(key):
            words.append(f"--{key} {getattr(args, key)}")
    words += option_words(args)
    return " ".join([*words, f"--compare {args.compare}"] if args.compare else words)
