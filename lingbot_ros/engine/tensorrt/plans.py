"""Plans on disk: what each was made of, where it lies, and building it once."""

import hashlib
import json
import logging
import platform
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

import torch

from lingbot_ros.engine.artifacts import (
    Artifact,
    artifact_key,
    artifacts_folder,
    folders,
    read_probe,
    write_artifact,
    write_probe,
)
from lingbot_ros.engine.decode_graphs import DECODE_GRAPHS
from lingbot_ros.engine.export.exported import FORM, export_artifact, find_exported, form_of
from lingbot_ros.engine.export.positional import Positional
from lingbot_ros.engine.export.probe import Probe
from lingbot_ros.engine.export.weights import Values, weight_of
from lingbot_ros.engine.interface import GraphSpec
from lingbot_ros.engine.kept_folders import KEY, check_folder, differences, name_of, one_writer, write_folder
from lingbot_ros.engine.tensorrt.build import Compiled, compile_graph
from lingbot_ros.engine.tensorrt.library import Flavour
from lingbot_ros.engine.tensorrt.progress import BuildProgress
from lingbot_ros.errors import EngineError, ErrorCode

FORMAT = 1
"""Of plans. Raising it has every user's built anew."""

PLAN, LOG = "plan", "build.log"

_ROOM = 64 << 20
"""Bytes that a build needs beside what it needs for the weights."""

_MEMORY_PER_WEIGHTS = 3
"""A build was seen to take this many times the weights of main memory; the plan on disk is as large as they are."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Plan:
    """A compiled graph on disk and what it must compute."""

    path: Path
    probe: Probe


@dataclass(frozen=True)
class PlanMaker:
    """Finds and builds the plans of one library. `folder`: where, instead of the user's cache; then only there.

    `targets`: compute capabilities to compile for, of TensorRT-RTX alone; none is what it takes by default.
    """

    flavour: Flavour
    trt: ModuleType
    precision: str
    targets: tuple[str, ...] = ()
    folder: Path | None = None

    def key(self, graph: GraphSpec) -> dict[str, str]:
        """All that decides about a plan. TensorRT's run on the kind of GPU that they were built on, RTX's elsewhere."""
        form = artifact_key(graph, form_of(graph, self.precision))
        place = {"targets": " ".join(self.targets) or "default"} if self.flavour.builds_without_gpu else _gpu()
        return {
            **form,
            "plan_format": str(FORMAT),
            "engine": self.flavour.name,
            "version": str(self.trt.__version__),
            "precision": self.precision,
            "system": f"{platform.system()} {platform.machine()}",
            "code": code_digest(),
            **place,
        }

    def find(self, graph: GraphSpec) -> Plan | None:
        """The plan if it was built of exactly this; raises EngineError (STALE_PLAN) for one that was changed.

        In a `folder` that was named, a plan of the graph that was made of something else is refused as well, and the
        message names the fields that differ.
        """
        key = self.key(graph)
        places = [self.folder] if self.folder is not None else list(folders())
        found = next((place / name_of(key) for place in places if (place / name_of(key)).is_dir()), None)
        if found is None:
            if self.folder is not None:
                self._refuse_others(graph, key, self.folder)
            return None
        try:
            check_folder(found, key)
            return Plan(found / PLAN, read_probe(found))
        except (OSError, ValueError) as error:
            raise self._stale(graph, found, str(error)) from error

    def make(
        self,
        graph: GraphSpec,
        progress: BuildProgress | None = None,
        force: bool = False,
        artifact: Artifact | None = None,
    ) -> Plan:
        """The plan, built if there is none that fits, or anew with `force`. Raises EngineError and what a build raises.

        One program builds at a time; others wait for it and take what it built.
        """
        folder = (self.folder or artifacts_folder()) / name_of(self.key(graph))
        busy = f"another program builds {folder.name}; waiting for it"
        with one_writer(folder, lambda: logger.info("%s", busy)):
            if not force:
                try:
                    found = self.find(graph)
                except EngineError as error:
                    if self.folder is not None:
                        raise
                    logger.warning("%s; building it again", error)
                    found = None
                if found is not None:
                    return found
            artifact = artifact or self._exported(graph)
            parameters = Positional(graph).weights()
            weights = {name: weight_of(source, parameters) for name, source in artifact.weights.items()}
            check_room(folder.parent, weights)
            logger.info("building the plan of the %s graph, %d row(s): this is done once", graph.name, graph.batch)
            tf32 = self.precision != "f32" and graph.name in DECODE_GRAPHS
            compiled = compile_graph(self.trt, graph, artifact.model, weights, self.targets, progress, tf32)
            self._keep(folder, graph, artifact, compiled)
        return Plan(folder / PLAN, artifact.expected)

    def _exported(self, graph: GraphSpec) -> Artifact:
        form = form_of(graph, self.precision)
        artifact = find_exported(graph, form)
        if artifact is None and form != FORM:
            raise EngineError(
                f"engine: NOT_EXPORTED: {self.precision} needs a graph that was calibrated and measured: "
                f"`lingbot export MODEL --to {self.flavour.name} --precision {self.precision}`"
            )
        if artifact is None:
            artifact = export_artifact(graph)
            write_artifact(artifact_key(graph, form), artifact)
        return artifact

    def _keep(self, folder: Path, graph: GraphSpec, artifact: Artifact, compiled: Compiled) -> None:
        def fill(making: Path) -> None:
            (making / PLAN).write_bytes(compiled.plan)
            (making / LOG).write_text("\n".join(compiled.warnings) + "\n", encoding="utf-8")
            write_probe(making, artifact.expected)

        write_folder(folder, self.key(graph), fill)

    def _refuse_others(self, graph: GraphSpec, key: Mapping[str, str], folder: Path) -> None:
        """A plan that someone brought and that does not fit must not be passed over in silence."""
        for other in sorted(folder.glob(f"{graph.name}-{graph.batch}-*/{KEY}")):
            try:
                found = json.loads(other.read_text(encoding="utf-8"))
            except (OSError, ValueError) as error:
                raise self._stale(graph, other.parent, str(error)) from error
            raise self._stale(graph, other.parent, f"it differs in {differences(found, key)}")

    def _stale(self, graph: GraphSpec, folder: Path, why: str) -> EngineError:
        return EngineError(
            f"engine: STALE_PLAN: the plan of the {graph.name} graph in {folder} cannot be used: {why}. Build it "
            f"again: `lingbot engines build MODEL --engine {self.flavour.name} --force`, or set force_engine_update"
        )


def check_room(folder: Path, weights: Mapping[str, Values]) -> None:
    """Raise EngineError unless disk and main memory suffice for building with these weights."""
    size = sum(array.nbytes for array in weights.values())
    free = shutil.disk_usage(folder).free
    if free < size + _ROOM:
        raise EngineError(
            f"engine: the plan needs {_mb(size + _ROOM)} in {folder}, {_mb(free)} are free; free some, or name another "
            "folder",
            ErrorCode.DISK,
        )
    needed, available = _MEMORY_PER_WEIGHTS * size + _ROOM, available_memory()
    if available < needed:
        raise EngineError(
            f"engine: OUT_OF_MEMORY: building needs about {_mb(needed)} of main memory, {_mb(available)} are available;"
            " build on a larger machine, or in a precision of 16 bits",
            ErrorCode.OUT_OF_MEMORY,
        )


@cache
def code_digest() -> str:
    """Of the code that decides what a graph computes and how it is exported and built."""
    package = Path(__file__).parents[2]
    sources = [*(package / "model").rglob("*.py"), *(package / "engine" / "export").glob("*.py")]
    sources += [package / "engine" / name for name in ("graphs.py", "decode_graphs.py", "tensorrt/build.py")]
    digest = hashlib.sha256()
    for path in sorted(sources):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _gpu() -> dict[str, str]:
    major, minor = torch.cuda.get_device_capability()
    return {"gpu": torch.cuda.get_device_name(), "capability": f"{major}.{minor}", "cuda": str(torch.version.cuda)}


def available_memory() -> int:
    """Bytes of main memory that programs may take."""
    lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
    found = next(line for line in lines if line.startswith("MemAvailable:"))
    return int(found.split()[1]) * 1024


def _mb(size: int) -> str:
    return f"{size / 1e6:.0f} MB"
