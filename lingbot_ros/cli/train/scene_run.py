"""`lingbot train` for a scene model: train its depth network and put it into a model folder."""

import argparse
import os
from pathlib import Path

import torch
from safetensors.torch import save_file

from lingbot_ros.checkpoints.architecture import to_plain
from lingbot_ros.checkpoints.tensors import file_sha256
from lingbot_ros.errors import InputError
from lingbot_ros.model.scene.config import SceneConfig
from lingbot_ros.training.execution import default_precision
from lingbot_ros.training.export import WEIGHTS_FILE, note_training, update_card
from lingbot_ros.training.model_folder import CARD_FILE
from lingbot_ros.training.scene.config import SceneTrainConfig
from lingbot_ros.training.scene.read_events import train_event_reader
from lingbot_ros.training.scene.scene_model import begin_scene_folder, check_scene_folder, supervision
from lingbot_ros.training.scene.train import DepthTrainer
from lingbot_ros.world.scene_model import EVENTS


def train_and_export_scene(args: argparse.Namespace, config: SceneTrainConfig) -> int:
    """Train to the limits, measure on what was held out, then export if asked. Returns 0."""
    from lingbot_ros.tasks.data import open_scene_data

    if args.device != "cpu":
        raise InputError("--device", args.device, "a scene model is trained on the CPU; leave it out")
    torch.set_num_threads(args.threads)
    data = open_scene_data(args.data, args.validation)
    if args.export and data.drives is not None:
        check_scene_folder(args.export, data.drives)
    elif args.export and not (args.export / CARD_FILE).is_file():
        raise InputError("--export", args.export, "give a folder with a card.yaml that describes the model")
    trainer = DepthTrainer(config, args.run, bf16=(args.precision or default_precision("cpu")) == "bf16")
    trainer.train(data.training, args.iterations, args.minutes)
    quality = None if data.held_out is None else trainer.measure(data.held_out)
    if quality is not None:
        print(quality.text())
    if args.export:
        if data.drives is not None and quality is not None:
            begin_scene_folder(args.export, data.drives, config)
            facts = supervision(data.drives, quality) | {"iterations": trainer.iteration}
            note_training(args.export / CARD_FILE, facts)
        export_scene(trainer, config.scene, args.export)
        print(f"wrote the averaged weights of iteration {trainer.iteration} to {args.export}")
    return 0


def export_scene(trainer: DepthTrainer, config: SceneConfig, folder: Path) -> None:
    """Write float16 weights, with a reader of prompts where there is to be one, and their digest into the card."""
    partial = folder / f"{WEIGHTS_FILE}.partial"
    tensors = trainer.average.state_dict()
    if config.events:
        reader = train_event_reader(trainer.config.seed).state_dict()
        tensors |= {f"{EVENTS}{name}": tensor for name, tensor in reader.items()}
    save_file({name: tensor.half().contiguous() for name, tensor in tensors.items()}, partial)
    os.replace(partial, folder / WEIGHTS_FILE)
    weights = folder / WEIGHTS_FILE
    entry = {"file": WEIGHTS_FILE, "sha256": file_sha256(weights), "bytes": weights.stat().st_size}
    update_card(folder / CARD_FILE, {"architecture": to_plain(config), "weights": entry})
