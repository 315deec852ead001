"""Exported graphs on disk, one folder per key: what they were made of, the graph, its weights' names, its probe."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lingbot_ros.engine.export.probe import Probe
from lingbot_ros.engine.export.weights import WeightSource
from lingbot_ros.engine.interface import GraphSpec
from lingbot_ros.engine.kept_folders import check_folder, name_of, write_folder
from lingbot_ros.errors import EngineError
from lingbot_ros.home import cache_home, expanded
from lingbot_ros.shared_files import shared_folders

ARTIFACTS_VARIABLE = "LINGBOT_ENGINES"
"""The folder of exported graphs, by default `lingbot_ros/engines` in the user's cache."""

SHIPPED = "exported"
"""The folder beside a model's card in which its exported graphs may be shipped."""

PROBE, _QUANTISED = "probe.npz", "quantised_probe.npz"

FORMAT = 2
"""Of the exported graphs. Raising it has every user's exported anew."""


def artifacts_folder() -> Path:
    """Where exported graphs are kept."""
    if named := os.environ.get(ARTIFACTS_VARIABLE):
        return expanded(named, ARTIFACTS_VARIABLE)
    return cache_home() / "lingbot_ros" / "engines"


@dataclass(frozen=True)
class Artifact:
    """An exported graph in memory: ONNX bytes without weights, their sources, and what it must compute.

    `quantised_probe` is what a quantised graph computes by itself, where `probe` is what it was made from.
    """

    model: bytes
    weights: Mapping[str, WeightSource]
    probe: Probe
    quantised_probe: Probe | None = None

    @property
    def expected(self) -> Probe:
        """What an engine must compute."""
        return self.probe if self.quantised_probe is None else self.quantised_probe


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


def folders() -> Iterator[Path]:
    """Where exported graphs are looked for: the user's, then those beside the shipped models."""
    yield artifacts_folder()
    for models in shared_folders("models"):
        yield from sorted(models.glob(f"*/{SHIPPED}"))


def write_artifact(key: Mapping[str, str], artifact: Artifact, where: Path | None = None) -> Path:
    """Keep an exported graph; returns its folder. Raises EngineError."""

    def fill(folder: Path) -> None:
        (folder / "model.onnx").write_bytes(artifact.model)
        sources = {name: [source.parameter, source.transposed] for name, source in artifact.weights.items()}
        (folder / "weights.json").write_text(json.dumps(sources), encoding="utf-8")
        write_probe(folder, artifact.probe)
        if artifact.quantised_probe is not None:
            write_probe(folder, artifact.quantised_probe, _QUANTISED)

    folder = (where or artifacts_folder()) / name_of(key)
    write_folder(folder, key, fill)
    return folder


def read_artifact(key: Mapping[str, str]) -> Artifact | None:
    """The graph of a key, None if it was never exported; raises EngineError (STALE_PLAN) for a damaged folder."""
    name = name_of(key)
    folder = next((found / name for found in folders() if (found / name).is_dir()), None)
    if folder is None:
        return None
    try:
        check_folder(folder, key)
        sources = json.loads((folder / "weights.json").read_text(encoding="utf-8"))
        probe = read_probe(folder)
        quantised = read_probe(folder, _QUANTISED) if (folder / _QUANTISED).exists() else None
        model = (folder / "model.onnx").read_bytes()
    except (OSError, ValueError) as error:
        raise EngineError(
            f"engine: STALE_PLAN: the exported graph in {folder} cannot be used ({error}); remove that folder, and "
            "`lingbot export` creates it again"
        ) from error
    return Artifact(model, {name: WeightSource(*source) for name, source in sources.items()}, probe, quantised)


def write_probe(folder: Path, probe: Probe, name: str = PROBE) -> None:
    """Beside a kept graph."""
    np.savez(folder / name, **probe)  # type: ignore[arg-type, unused-ignore]


def read_probe(folder: Path, name: str = PROBE) -> Probe:
    """What a kept graph must compute."""
    with np.load(folder / name) as arrays:
        return dict(arrays)
