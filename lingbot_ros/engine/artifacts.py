"""Exported graphs on disk, one folder per key: what they were made of, the graph, its weights' names, its probe."""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lingbot_ros.engine.export.probe import Probe
from lingbot_ros.engine.export.weights import WeightSource
from lingbot_ros.engine.interface import GraphSpec
from lingbot_ros.errors import EngineError
from lingbot_ros.home import cache_home, expanded
from lingbot_ros.shared_files import shared_folders

ARTIFACTS_VARIABLE = "LINGBOT_ENGINES"
"""The folder of exported graphs, by default `lingbot_ros/engines` in the user's cache."""

SHIPPED = "exported"
"""The folder beside a model's card in which its exported graphs may be shipped."""

FORMAT = 1
"""Of the exported graphs. Raising it has every user's exported anew."""


def artifacts_folder() -> Path:
    """Where exported graphs are kept."""
    if named := os.environ.get(ARTIFACTS_VARIABLE):
        return expanded(named, ARTIFACTS_VARIABLE)
    return cache_home() / "lingbot_ros" / "engines"


@dataclass(frozen=True)
class Artifact:
    """An exported graph in memory: ONNX bytes without weights, their sources, and what it must compute."""

    model: bytes
    weights: Mapping[str, WeightSource]
    probe: Probe


def artifact_key(graph: GraphSpec, form: str) -> dict[str, str]:
    """What an exported graph was made of, by name. What code made it shows in its probe.

    `form` names what an engine needs to have otherwise, such as the way in which attention is cut to length.
    """
    return {
        "format": str(FORMAT),
        "form": form,
        "graph": graph.name,
        "batch": str(graph.batch),
        "graph_key": graph.key,
    }


def name_of(key: Mapping[str, str]) -> str:
    """The name of a key's folder."""
    digest = hashlib.sha256(json.dumps(dict(key), sort_keys=True).encode()).hexdigest()[:16]
    return f"{key['graph']}-{key['batch']}-{digest}"


def folders() -> Iterator[Path]:
    """Where exported graphs are looked for: the user's, then those beside the shipped models."""
    yield artifacts_folder()
    for models in shared_folders("models"):
        yield from sorted(models.glob(f"*/{SHIPPED}"))


def write_artifact(key: Mapping[str, str], artifact: Artifact, where: Path | None = None) -> Path:
    """Write a folder beside its place and move it there, so that nobody ever reads half of one. Raises EngineError."""
    folder = (where or artifacts_folder()) / name_of(key)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as made:
            whole = Path(made) / "whole"
            whole.mkdir()
            (whole / "model.onnx").write_bytes(artifact.model)
            (whole / "weights.json").write_text(
                json.dumps({n: [s.parameter, s.transposed] for n, s in artifact.weights.items()}), encoding="utf-8"
            )
            np.savez(whole / "probe.npz", **artifact.probe)  # type: ignore[arg-type, unused-ignore]
            (whole / "sha256").write_text(_digest(whole), encoding="utf-8")
            (whole / "key.json").write_text(json.dumps(dict(key), indent=1), encoding="utf-8")
            if folder.exists():
                folder.rename(Path(made) / "before")
            whole.rename(folder)
    except OSError as error:
        raise EngineError(
            f"engine: cannot keep an exported graph in {folder.parent} ({error.strerror}); free space there, or name "
            f"another folder in ${ARTIFACTS_VARIABLE}"
        ) from error
    return folder


def read_artifact(key: Mapping[str, str]) -> Artifact | None:
    """The graph of a key, None if it was never exported; raises EngineError (STALE_PLAN) for a damaged folder."""
    name = name_of(key)
    folder = next((found / name for found in folders() if (found / name).is_dir()), None)
    if folder is None:
        return None
    try:
        found = json.loads((folder / "key.json").read_text(encoding="utf-8"))
        differing = [name for name in {*key, *found} if key.get(name) != found.get(name)]
        whole = (folder / "sha256").read_text(encoding="utf-8") == _digest(folder)
        if differing or not whole:
            raise ValueError(f"differs in {', '.join(differing)}" if differing else "its files were changed")
        sources = json.loads((folder / "weights.json").read_text(encoding="utf-8"))
        with np.load(folder / "probe.npz") as arrays:
            probe = dict(arrays)
        model = (folder / "model.onnx").read_bytes()
    except (OSError, ValueError) as error:
        raise EngineError(
            f"engine: STALE_PLAN: the exported graph in {folder} cannot be used ({error}); remove that folder, and "
            "`lingbot export` makes it anew"
        ) from error
    return Artifact(model, {name: WeightSource(*source) for name, source in sources.items()}, probe)


def _digest(folder: Path) -> str:
    parts = ((folder / name).read_bytes() for name in ("model.onnx", "weights.json", "probe.npz"))
    return hashlib.sha256(b"".join(parts)).hexdigest()
