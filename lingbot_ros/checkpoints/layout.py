"""The file layouts in which the family is published (model_spec 1.3): which files in a folder are which part."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lingbot_ros.errors import ModelError

TRANSFORMER_FOLDERS = ("transformer_causal", "transformers", "transformer", "lingbot_world_fast", "")
HIGH_NOISE_FOLDERS = ("high_noise_model", "transformer")
LOW_NOISE_FOLDERS = ("low_noise_model", "transformer_2")
AUTOENCODER_NAMES = ("Wan2.1_VAE.safetensors", "Wan2.1_VAE.pth", "vae")
TEXT_ENCODER_NAMES = (
    "models_t5_umt5-xxl-enc-bf16.safetensors",
    "models_t5_umt5-xxl-enc-bf16.pth",
    "text_encoder",
)
TOKENIZER_NAMES = ("google/umt5-xxl", "tokenizer")

_INDEX = ".safetensors.index.json"
_SHARD = re.compile(r"(.+)-(\d{5})-of-(\d{5})\.safetensors")


def find_transformer(root: Path, folders: Iterable[str] = TRANSFORMER_FOLDERS) -> tuple[Path, ...]:
    """The weight files of the first of `folders` that has any; raises ModelError naming a shard that is missing."""
    folders = tuple(folders)
    for folder in folders:
        if files := weight_files(root / folder):
            return files
    looked = ", ".join(folder or "." for folder in folders)
    raise ModelError(f"weights: {root} has no .safetensors files in {looked}; download again or give another folder")


def weight_files(path: Path) -> tuple[Path, ...]:
    """A file itself, or the safetensors files of a folder: those of its index, a set of numbered shards, or one file.

    Empty when there are none. Raises ModelError for an incomplete set, and for a folder that holds several sets.
    """
    if path.is_file():
        return (path,)
    indices = sorted(path.glob(f"*{_INDEX}"))
    if indices:
        names = sorted({name for index in indices for name in read_index(index).values()})
        return _complete(path, names, f"{indices[0].name} names it")
    names = sorted(file.name for file in path.glob("*.safetensors"))
    sets = {(match[1], int(match[3])) for name in names if (match := _SHARD.fullmatch(name))}
    if not sets:
        if len(names) > 1:
            raise ModelError(f"weights: {path} holds {len(names)} models ({', '.join(names)}); give one of these files")
        return tuple(path / name for name in names)
    if len(sets) > 1 or any(not _SHARD.fullmatch(name) for name in names):
        raise ModelError(f"weights: {path} holds several models ({', '.join(names)}); keep one set of shards in it")
    stem, count = sets.pop()
    expected = [f"{stem}-{number:05d}-of-{count:05d}.safetensors" for number in range(1, count + 1)]
    return _complete(path, expected, f"it is one of {count} shards")


def read_index(path: Path) -> dict[str, str]:
    """Tensor name -> file name of an index; raises ModelError when it is damaged or points out of its folder."""
    weight_map = read_json(path).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise ModelError(f"weights: {path} has no weight_map; download it again")
    for name in set(weight_map.values()):
        if not isinstance(name, str) or Path(name).name != name:
            raise ModelError(f"weights: {path} names the file {name!r} outside its folder; download it again")
    return weight_map


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file; raises ModelError naming it."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"weights: {path} is damaged ({error}); download it again") from error
    if not isinstance(data, dict):
        raise ModelError(f"weights: {path} is not a JSON object; download it again")
    return data


def find_config(files: tuple[Path, ...]) -> dict[str, Any] | None:
    """The transformer's config.json beside its weights or one folder up, if it has one; the 1.3B has none."""
    folder = files[0].parent
    for path in (folder / "config.json", folder.parent / "config.json"):
        if path.is_file():
            return read_json(path)
    return None


def find_part(root: Path, names: Iterable[str], what: str) -> Path:
    """The first of `names` that exists in `root`; raises ModelError saying which part is missing."""
    names = tuple(names)
    for name in names:
        if (root / name).exists():
            return root / name
    raise ModelError(f"weights: {root} has no {what} ({' or '.join(names)}); the download is not complete")


def _complete(folder: Path, names: list[str], reason: str) -> tuple[Path, ...]:
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise ModelError(
            f"weights: {folder / missing[0]} is missing ({reason}; {len(missing)} of {len(names)} files are absent); "
            "the download is not complete"
        )
    return tuple(folder / name for name in names)
