"""How `lingbot train` and `lingbot distill` start a run, and end it with an export."""

import argparse
import sys

import torch

from lingbot_ros.engine.torch_engine import resolve_device
from lingbot_ros.tasks.data import open_training_data
from lingbot_ros.training.config import TrainConfig
from lingbot_ros.training.execution import Execution, default_precision
from lingbot_ros.training.export import export_model
from lingbot_ros.training.gate import EXIT_CODE
from lingbot_ros.training.memory import keep_freed_memory
from lingbot_ros.training.train import Limits, Trainer
from lingbot_ros.training.training_data import TrainingData, require_fitting
from lingbot_ros.training.validator import Validator


def prepare(args: argparse.Namespace) -> tuple[TrainConfig, TrainingData, Execution]:
    """Read configuration and data. Raises InputError and EngineError before anything is computed."""
    device, _ = resolve_device(args.device, args.precision or "auto")
    torch.set_num_threads(args.threads)
    keep_freed_memory()
    config = TrainConfig.load(args.config)
    data = open_training_data(args.data, config, args.validation)
    require_fitting(config, data)
    if args.export:
        data.check_export(args.export)
    return config, data, Execution(device, args.precision or default_precision(device), args.compile, args.loaders)


def train_and_export(args: argparse.Namespace, trainer: Trainer, data: TrainingData) -> int:
    """Train to the limits, then export if asked. Returns 0, or the gate's exit code for a run that it stopped."""
    with_gate = not (args.no_gate or trainer.passed_gate)
    validator = Validator(trainer.config, data, args.run, str(trainer.device), args.eval_every, with_gate)
    verdict = trainer.train(Limits(args.iterations, args.minutes), validator)
    if verdict is not None and not verdict.passed:
        print(f"lingbot {args.verb}: {verdict.message}", file=sys.stderr)
        return EXIT_CODE
    if args.export:
        data.begin_export(args.export)
        export_model(trainer.average, trainer.config, args.export)
        print(f"wrote the averaged weights of iteration {trainer.iteration} to {args.export}")
    return 0
