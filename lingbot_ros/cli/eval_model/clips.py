"""What `lingbot eval-model MODEL --data DIR` does."""

import argparse

from lingbot_ros.cli.model_arguments import load_options
from lingbot_ros.datasets.reader import ClipSet
from lingbot_ros.evaluate.clip_evaluation import run_trial
from lingbot_ros.evaluate.clip_report import card_entries, report_text, save_json, save_report
from lingbot_ros.training.export import update_card
from lingbot_ros.world import World


def report_own_data(args: argparse.Namespace) -> int:
    """See `lingbot_ros.cli.eval_model`. Returns 0."""
    clips = ClipSet(args.data)
    world = World.load(options=load_options(args, {"name": args.name}))
    trial = run_trial(world, clips, args.episodes, args.seed, args.context, args.horizon)
    print(report_text(trial.report))
    if args.json:
        save_json(args.json, trial.report)
    if args.out:
        save_report(args.out, trial.report, trial.real, trial.imagined, trial.titles)
        print(f"wrote report.json, report.txt and strips.png to {args.out}")
    if args.card:
        command = f"lingbot eval-model {args.name} --data {args.data} --horizon {args.horizon} --context {args.context}"
        update_card(world.card.folder / "card.yaml", card_entries(trial.report, command))
    return 0
