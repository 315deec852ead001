"""`lingbot train` for a world of rigid layers of own clips: learn it from images and actions alone, and measure it."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from lingbot_ros.cli.train.layer_run import export_constants
from lingbot_ros.datasets.reader import ClipSet
from lingbot_ros.errors import InputError
from lingbot_ros.model.config import StreamConfig
from lingbot_ros.model.rigid_layers.config import RigidLayersConfig

_STREAM = StreamConfig(chunk=1, window=4)
_CONTEXT, _HORIZONS, _WINDOWS = 4, (64, 32, 16, 8), 24
_LIMITS = (
    "Learned from images and actions alone. The camera stands still and the light stays as it is; a first image that "
    "does not show this scene, or not every layer, is refused.",
    "Layers are told apart by their colours, which the clips taught: things of one colour are one layer, shadows and "
    "reflections are none, and a thing of many shades is cut only as well as a few colours explain it.",
    "The driven layer is drawn and pushes as a disc that does not turn. The others are rigid, lie flat, stop when they "
    "are no longer pushed, and do not push each other.",
    "How far a single frame can be trusted is not estimated.",
)


def learn_and_export_clips(args: argparse.Namespace, config: RigidLayersConfig, given: Sequence[str]) -> int:
    """Learn from the clips, write RUN/model.safetensors and, if asked, the model folder with what was measured.

    `given`: the fields of the configuration that its file has. Raises InputError.
    """
    from lingbot_ros.tasks.data import open_clips
    from lingbot_ros.training.clip_model import begin_folder, check_folder
    from lingbot_ros.training.export import note_training, update_card
    from lingbot_ros.training.rigid_layers.own_clips import LEARNED, learn_from_clips

    torch.set_num_threads(args.threads)
    for name in given:
        if name in LEARNED:
            raise InputError(f"rigid_layers.{name}", getattr(config, name), "leave it out: own clips teach it")
    clips = open_clips(args.data, args.validation)
    horizon = _horizon(clips)
    if args.export:
        check_folder(args.export, clips)
    learned = learn_from_clips(clips, config)
    args.run.mkdir(parents=True, exist_ok=True)
    learned.constants.save(args.run / "model.safetensors")
    print("\n".join((*learned.constants.summary(), *_told(learned.found))))
    if args.export:
        begin_folder(args.export, clips, learned.constants.config, _STREAM, limits=_LIMITS)
        card = args.export / "card.yaml"
        update_card(card, export_constants(learned.constants, args.export))
        note_training(card, {"needed": _needed(clips), "found": learned.found})
        print(f"wrote the constants to {args.export}")
        _measure(args.export, args.data, clips, horizon)
    return 0


def _horizon(clips: ClipSet) -> int:
    """The longest of a few for which the held-back episodes have windows enough. Raises InputError for none."""
    from lingbot_ros.evaluate.clip_windows import choose_windows

    lengths = [clips.plan.steps[episode] + 1 for episode in clips.plan.validation]
    fitting = [h for h in _HORIZONS if sum(length // (_CONTEXT + h) for length in lengths) > 1]
    horizon = fitting[0] if fitting else _HORIZONS[-1]
    choose_windows(clips, _WINDOWS, 0, _CONTEXT + horizon)
    return horizon


def _told(found: dict[str, Any]) -> list[str]:
    return [f"{name.replace('_', ' ')}: {value}" for name, value in found.items()]


def _needed(clips: ClipSet) -> str:
    """What the card says of how the model came about."""
    steps = sum(clips.plan.steps[episode] for episode in clips.plan.training)
    return (
        f"Images and actions of {len(clips.plan.training)} episodes ({steps} steps), no colours, states or shapes. "
        "What differs from the usual image moves; colours that keep their distance are one layer; the layer whose "
        "steps the actions explain is driven. Outlines, poses and both laws of motion were read off the images."
    )


def _measure(folder: Path, data: Path, clips: ClipSet, horizon: int) -> None:
    """Imagine the held-back episodes, print how well that goes and write it on the card."""
    from lingbot_ros.evaluate.clip_evaluation import evaluate_clips
    from lingbot_ros.evaluate.evaluation import EvaluationOptions
    from lingbot_ros.training.export import update_card
    from lingbot_ros.world import World

    evaluation = evaluate_clips(World.load(folder), clips, EvaluationOptions(_WINDOWS, 0, _CONTEXT, horizon))
    print(evaluation.text())
    command = f"lingbot eval-model {folder} --data {data} --episodes {_WINDOWS} --horizon {horizon} --card"
    update_card(folder / "card.yaml", evaluation.card_entries(command))
