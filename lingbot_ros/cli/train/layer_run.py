"""`lingbot train` for a world of rigid layers: find its constants and put them into a model folder."""

import argparse
import os
from pathlib import Path

import torch

from lingbot_ros.checkpoints.architecture import parse_dataclass, to_plain
from lingbot_ros.checkpoints.tensors import file_sha256
from lingbot_ros.errors import InputError
from lingbot_ros.input_files.regular import read_text
from lingbot_ros.input_files.yaml_text import parse_yaml
from lingbot_ros.model.rigid_layers.config import RigidLayersConfig

_KEY = "rigid_layers"
_WEIGHTS_FILE = "model.safetensors"


def layer_config(path: Path) -> RigidLayersConfig | None:
    """The configuration of a world of layers, or None where the file describes another kind of run."""
    try:
        data = parse_yaml(read_text(path, "--config"), str(path))
    except InputError:
        return None  # the reader of the other kind says what is wrong
    if not isinstance(data, dict) or _KEY not in data:
        return None
    return parse_dataclass(RigidLayersConfig, data[_KEY], f"{path}: {_KEY}")


def learn_and_export(args: argparse.Namespace, config: RigidLayersConfig) -> int:
    """Learn from the data set, write RUN/model.safetensors and, if asked, the model folder."""
    from lingbot_ros.tasks.data import fit_layer_constants
    from lingbot_ros.training.export import update_card

    torch.set_num_threads(args.threads)
    if args.export and not (args.export / "card.yaml").is_file():
        raise InputError("--export", args.export, "give a folder with a card.yaml that describes the model")
    constants = fit_layer_constants(args.data, config)
    args.run.mkdir(parents=True, exist_ok=True)
    weights = args.run / _WEIGHTS_FILE
    constants.save(weights)
    print("\n".join(constants.summary()))
    if args.export:
        partial = args.export / f"{_WEIGHTS_FILE}.partial"
        constants.save(partial)
        os.replace(partial, args.export / _WEIGHTS_FILE)
        digest, size = file_sha256(weights), weights.stat().st_size
        entry = {"file": _WEIGHTS_FILE, "sha256": digest, "bytes": size}
        update_card(args.export / "card.yaml", {"architecture": to_plain(config), "weights": entry})
        print(f"wrote the constants to {args.export}")
    return 0
