"""A session's whole state as a value, and as a file."""

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from lingbot_ros.errors import ErrorCode, ResourceError, SnapshotError

SCHEMA = 4


@dataclass(frozen=True)
class SnapshotMeta:
    """What a snapshot belongs to and where its session stood. `weights` is the digest of the model's weights.

    height and width in pixels, window and sink in latent frames. `past_is_of_prompt` is False when the prompt was
    changed and no chunk was generated under it yet. `real_frame` is the index of the last real frame. `parts` are the
    names of the session's parts; one without tensors is a part, too. `outside` is what the session's holder wants to
    know again, in JSON's types; the core does not look at it.
    """

    model: str
    weights: str
    engine: str
    precision: str
    height: int
    width: int
    window: int
    sink: int
    session_id: str
    parent_id: str
    seed: int
    prompt: str
    past_is_of_prompt: bool
    chunk_index: int
    frame_index: int
    real_frame: int
    parts: list[str]
    outside: dict[str, Any] = field(default_factory=dict)
    schema: int = SCHEMA


@dataclass(frozen=True)
class Snapshot:
    """Immutable: taken from a session, restored any number of times, here or in another process."""

    meta: SnapshotMeta
    tensors: dict[str, Tensor]

    def states(self) -> dict[str, dict[str, Tensor]]:
        """The tensors by part and by their name within it."""
        states: dict[str, dict[str, Tensor]] = {part: {} for part in self.meta.parts}
        for key, tensor in self.tensors.items():
            part, name = key.split(".", 1)
            states.setdefault(part, {})[name] = tensor
        return states

    def save(self, path: Path | str) -> None:
        """Write atomically with a checksum. Raises ResourceError when the disk refuses; an older file then survives."""
        path = Path(path)
        partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
        metadata = {"snapshot": json.dumps(asdict(self.meta)), "sha256": _digest(self.meta, self.tensors)}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            save_file({name: tensor.contiguous() for name, tensor in self.tensors.items()}, partial, metadata)
            with partial.open("rb") as file:
                os.fsync(file.fileno())
            os.replace(partial, path)
        except (OSError, SafetensorError) as error:
            with suppress(OSError):
                partial.unlink()
            message = f"snapshot: cannot write {path} ({error}); free some disk space or choose another folder"
            raise ResourceError(message, ErrorCode.DISK) from error

    @classmethod
    def load(cls, path: Path | str) -> "Snapshot":
        """Read and verify. Raises SnapshotError naming the file and what is wrong with it."""
        try:
            with safe_open(path, framework="pt") as file:
                metadata = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dictionary
            meta = SnapshotMeta(**_readable(metadata, path))
            _require_types(meta)
        except (OSError, SafetensorError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise SnapshotError(f"snapshot: {path} is missing, truncated or not a snapshot ({error})") from error
        if metadata.get("sha256") != _digest(meta, tensors):
            raise SnapshotError(f"snapshot: {path} is damaged (its checksum does not match); restore an older one")
        return cls(meta, tensors)


def require_same_world(mine: SnapshotMeta, theirs: SnapshotMeta) -> None:
    """Raise SnapshotError unless a session of `mine`'s world can continue a snapshot with the meta `theirs`.

    In f32 engines agree to rounding, so that a snapshot may move between them; caches of fewer bits belong to theirs.
    """
    if (mine.height, mine.width) != (theirs.height, theirs.width):
        size = f"{theirs.width}x{theirs.height}"
        raise SnapshotError(
            f"snapshot: its frames are {size}, this world's {mine.width}x{mine.height}; load the model with size {size}"
        )
    names = ["model", "weights", "precision", "window", "sink"]
    if theirs.precision != "f32":
        names.append("engine")
    for name in names:
        if getattr(mine, name) != getattr(theirs, name):
            raise SnapshotError(
                f"snapshot: its {name} is {getattr(theirs, name)!r}, this world's is {getattr(mine, name)!r}; "
                "restore it into the world that it was taken from"
            )


def remove_leftovers(folder: Path) -> None:
    """Delete what saves left in `folder` whose process was killed; those of living processes stay."""
    for partial in folder.glob("*.partial"):
        pid = partial.name.removesuffix(".partial").rpartition(".")[2]
        if pid.isascii() and pid.isdigit() and not Path("/proc", pid).exists():
            with suppress(OSError):
                partial.unlink()


def _readable(metadata: dict[str, str], path: Path | str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(metadata.get("snapshot", "null")) or {}
    if data.get("schema") != SCHEMA:
        raise SnapshotError(
            f"snapshot: {path} has schema {data.get('schema')}, this version reads {SCHEMA}; "
            "restore it with the version of lingbot_ros that wrote it, or start a new session"
        )
    return data


def _require_types(meta: SnapshotMeta) -> None:
    """Raise TypeError where a field is of another type than JSON's for it; a bool is no number."""
    for names, kind in (
        (("model", "weights", "precision", "session_id", "parent_id", "prompt"), str),
        (("seed", "chunk_index", "frame_index"), int),
        (("past_is_of_prompt",), bool),
        (("outside",), dict),
    ):
        for name in names:
            if type(getattr(meta, name)) is not kind:
                raise TypeError(f"{name} is no {kind.__name__}")
    if type(meta.parts) is not list or not all(type(part) is str for part in meta.parts):
        raise TypeError("parts is no list of names")


def _digest(meta: SnapshotMeta, tensors: dict[str, Tensor]) -> str:
    digest = hashlib.sha256(json.dumps(asdict(meta), sort_keys=True).encode())
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
