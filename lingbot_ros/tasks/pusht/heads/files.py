"""A head on disk: a folder with head.yaml (what it is, how good, how calibrated) and its weights."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
import yaml
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from lingbot_ros.checkpoints.architecture import parse_dataclass, to_plain
from lingbot_ros.checkpoints.cards import WeightsSpec, model_folders
from lingbot_ros.checkpoints.tensors import file_sha256
from lingbot_ros.errors import ErrorCode, InputError, ModelError
from lingbot_ros.input_files.regular import read_text
from lingbot_ros.input_files.yaml_text import parse_yaml
from lingbot_ros.model.finite import require_finite

CARD_FILE = "head.yaml"
WEIGHTS_FILE = "head.safetensors"

HeadKind = Literal["outcome", "inverse-dynamics", "policy"]


@dataclass(frozen=True)
class HeadCard:
    """`models/NAME/head.yaml`. `calibration` holds the numbers fitted after training, by name."""

    name: str
    kind: HeadKind
    summary: str
    licence: str
    weights: WeightsSpec
    calibration: dict[str, float]
    quality: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    limits: tuple[str, ...] = ()


def find_head(name: str | Path) -> Path:
    """The folder of a head by name or path. Raises ModelError that lists what exists."""
    for folder in (Path(name), *(root / name for root in model_folders())):
        if (folder / CARD_FILE).is_file():
            return folder
    known = ", ".join(sorted({path.parent.name for root in model_folders() for path in root.glob(f"*/{CARD_FILE}")}))
    raise ModelError(
        f"head: got {str(name)!r}; known heads: {known or 'none'}. Give one of these, or a folder with a {CARD_FILE}",
        ErrorCode.UNKNOWN_MODEL,
    )


def read_card(folder: Path) -> HeadCard:
    """The card of the head in a folder. Raises ModelError naming the file and what is wrong."""
    path = folder / CARD_FILE
    try:
        data = parse_yaml(read_text(path, "head"), str(path))
        weights = parse_dataclass(WeightsSpec, data.get("weights", {}), f"{path}: weights")
        return parse_dataclass(HeadCard, {**data, "weights": weights}, str(path))
    except (AttributeError, TypeError, InputError) as error:
        raise ModelError(f"head: {path} cannot be read ({error})") from error


def load_head(name: str | Path, kind: HeadKind, network: nn.Module) -> HeadCard:
    """Fill `network` with the weights of a head of `kind`; raises ModelError naming the file and what is wrong."""
    folder = find_head(name)
    path, card = folder / CARD_FILE, read_card(folder)
    if card.kind != kind:
        raise ModelError(f"head: {path} is of kind {card.kind!r}, not {kind!r}; give one of that kind")
    file = folder / card.weights.file
    try:
        if file_sha256(file) != card.weights.sha256:
            raise ModelError(f"head: {file} is not the file that {path} describes; restore it or train it again")
        tensors = load_file(file)
        require_finite(tensors, f"head: {file}", "restore it or train it again")
        network.load_state_dict({key: tensor.float() for key, tensor in tensors.items()})
    except (OSError, SafetensorError, RuntimeError) as error:
        raise ModelError(f"head: {file} cannot be loaded ({error}); restore it or train it again") from error
    network.eval().requires_grad_(False)
    return card


def save_head(folder: Path, network: nn.Module, about: dict[str, Any]) -> None:
    """Write weights in half precision, then the card: `about` holds its entries besides `weights`."""
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f"{WEIGHTS_FILE}.partial"
    tensors = {name: tensor.to(torch.float16).contiguous() for name, tensor in network.state_dict().items()}
    require_finite(tensors, f"head: {folder / WEIGHTS_FILE} was not written", "train it again")
    save_file(tensors, partial)
    os.replace(partial, folder / WEIGHTS_FILE)
    file = folder / WEIGHTS_FILE
    weights = WeightsSpec(WEIGHTS_FILE, file_sha256(file), file.stat().st_size)
    text = yaml.safe_dump({**about, "weights": to_plain(weights)}, sort_keys=False, allow_unicode=True, width=110)
    aside = folder / f"{CARD_FILE}.partial"
    aside.write_text(text, encoding="utf-8")
    os.replace(aside, folder / CARD_FILE)
