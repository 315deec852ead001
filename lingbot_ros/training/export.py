"""A trained model as a folder that `World.load` takes: weights in half precision and a card that names them."""

import os
from pathlib import Path
from typing import Any

import torch
import yaml

from lingbot_ros.checkpoints.architecture import to_plain
from lingbot_ros.checkpoints.tensors import file_sha256
from lingbot_ros.checkpoints.weights import save_transformer
from lingbot_ros.errors import InputError
from lingbot_ros.model.transformer import CausalWorldTransformer
from lingbot_ros.training.config import TrainConfig

WEIGHTS_FILE = "model.safetensors"


def export_model(model: CausalWorldTransformer, config: TrainConfig, folder: Path) -> None:
    """Write float16 weights into a model folder and their architecture and digest into its card.yaml.

    The card's other entries (summary, licence, control, limits ...) are kept; raises InputError when there is no card.
    """
    card_path = folder / "card.yaml"
    if not card_path.is_file():
        raise InputError("--export", folder, "give a folder with a card.yaml that describes the model")
    partial = folder / f"{WEIGHTS_FILE}.partial"
    save_transformer(model, partial, torch.float16)
    os.replace(partial, folder / WEIGHTS_FILE)
    update_card(
        card_path,
        {
            "architecture": to_plain(config.transformer),
            "stream": to_plain(config.stream),
            "weights": {
                "file": WEIGHTS_FILE,
                "sha256": file_sha256(folder / WEIGHTS_FILE),
                "bytes": (folder / WEIGHTS_FILE).stat().st_size,
            },
        },
    )


def update_card(path: Path, entries: dict[str, Any]) -> None:
    """Replace top-level entries of a card, keeping the order of the others."""
    card = yaml.safe_load(path.read_text(encoding="utf-8")) | entries
    partial = path.with_suffix(".partial")
    partial.write_text(
        yaml.dump(card, Dumper=_CardDumper, sort_keys=False, allow_unicode=True, width=110), encoding="utf-8"
    )
    os.replace(partial, path)


def note_training(path: Path, facts: dict[str, Any]) -> None:
    """Add to what a card says of the training."""
    there = yaml.safe_load(path.read_text(encoding="utf-8")).get("training") or {}
    update_card(path, {"training": there | facts})


class _CardDumper(yaml.SafeDumper):
    """Writes a list of numbers in one line: a card quotes many, and is to be read by people."""


def _represent_list(dumper: _CardDumper, data: list[Any]) -> yaml.SequenceNode:
    numbers = all(entry is None or isinstance(entry, int | float) for entry in data)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=numbers)


_CardDumper.add_representer(list, _represent_list)
