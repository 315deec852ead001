"""`lingbot train` for a world of rigid layers: find its constants and put them into a model folder."""

import argparse
import os
from pathlib import Path
from typing import Any

import torch

from lingbot_ros.checkpoints.architecture import parse_dataclass, to_plain
from lingbot_ros.checkpoints.tensors import file_sha256
from lingbot_ros.errors import InputError
from lingbot_ros.input_files.regular import read_text
from lingbot_ros.input_files.yaml_text import parse_yaml
from lingbot_ros.model.rigid_layers.config import RigidLayersConfig
from lingbot_ros.model.rigid_layers.constants import Constants

_KEY = "rigid_layers"
_WEIGHTS_FILE = "model.safetensors"


def layer_config(path: Path) -> tuple[RigidLayersConfig, tuple[str, ...]] | None:
    """The configuration of a world of layers and which of its fields the file gives; None where the file describes
    another kind of run."""
    try:
        data = parse_yaml(read_text(path, "--config"), str(path))
    except InputError:
        return None  # the reader of the other kind says what is wrong
    if not isinstance(data, dict) or _KEY not in data:
        return None
    return parse_dataclass(RigidLayersConfig, data[_KEY], f"{path}: {_KEY}"), tuple(data[_KEY])


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
        update_card(args.export / "card.yaml", export_constants(constants, args.export))
        print(f"wrote the constants to {args.export}")
    return 0


def export_constants(constants: Constants, folder: Path) -> dict[str, Any]:
    """Write the weights file of a model folder; returns what belongs on its card."""
    partial = folder / f"{_WEIGHTS_FILE}.partial"
    constants.save(partial)
    os.replace(partial, folder / _WEIGHTS_FILE)
    weights = folder / _WEIGHTS_FILE
    entry = {"file": _WEIGHTS_FILE, "sha256": file_sha256(weights), "bytes": weights.stat().st_size}
    return {"architecture": to_plain(constants.config), "weights": entry}
