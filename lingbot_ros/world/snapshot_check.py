"""Whether a snapshot that is whole can be true: its numbers against one another, the model and the tensors in it."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from lingbot_ros.errors import InputError, SnapshotError
from lingbot_ros.model.cache import KVCache
from lingbot_ros.sendable import MAX_COUNT, PROMPT_BYTES, require_text, require_whole
from lingbot_ros.world.snapshot import SnapshotMeta

_FIX = "the file is whole but was not written by a session; restore another"


def check_meta(meta: SnapshotMeta, first_frames: int, later_frames: int, takes_text: bool) -> None:
    """Types, ranges, and that frames and chunks count the same past.

    first_frames, later_frames: pixel frames of the first and of each later chunk. Raises SnapshotError.
    """
    try:
        for name in ("session_id", "parent_id"):
            require_text(f"snapshot.{name}", getattr(meta, name), PROMPT_BYTES)
        require_text("snapshot.prompt", meta.prompt, PROMPT_BYTES if takes_text else 0)
        require_whole("snapshot.seed", meta.seed, -MAX_COUNT, 2 * MAX_COUNT + 1)
        chunks = require_whole("snapshot.chunk_index", meta.chunk_index, 0, MAX_COUNT)
        frames = 0 if chunks == 0 else first_frames + (chunks - 1) * later_frames
        require_whole(f"snapshot.frame_index after {chunks} chunks", meta.frame_index, frames, frames)
        require_whole("snapshot.real_frame", meta.real_frame, 0, frames)
    except InputError as error:
        raise SnapshotError(f"{error} - {_FIX}") from error


def check_tensors(
    meta: SnapshotMeta,
    parts: Mapping[str, Mapping[str, Tensor]],
    caches: Sequence[KVCache],
    condition: Tensor,
    chunk_latents: int,
) -> None:
    """Finite values, caches of the shapes that these hold after so many chunks, and no memory of the future.

    parts: the snapshot's tensors by part and name; condition: the network's input of that name. Raises SnapshotError
    naming the tensor.
    """
    for part, tensors in parts.items():
        for name, tensor in tensors.items():
            if tensor.is_floating_point() and not torch.isfinite(tensor).all():
                raise SnapshotError(f"snapshot: {part}.{name} holds values that are not finite - {_FIX}")
    for index, cache in enumerate(caches):
        part = f"cache{index or ''}"
        found = {name: tuple(tensor.shape) for name, tensor in parts.get(part, {}).items()}
        expected = cache.shapes_after(meta.chunk_index)
        if found != expected:
            wrong = next(n for n in [*expected, *found] if found.get(n) != expected.get(n))
            raise SnapshotError(
                f"snapshot: {part}.{wrong} has shape {found.get(wrong)}, after {meta.chunk_index} chunks it is "
                f"{expected.get(wrong)} - {_FIX}"
            )
        committed = int(parts[part]["committed"])
        if committed != meta.chunk_index:
            raise SnapshotError(f"snapshot: {part}.committed is {committed} after {meta.chunk_index} chunks - {_FIX}")
    _check_indices("recent", parts.get("recent", {}), meta.chunk_index)
    _check_indices("memory", parts.get("memory", {}), meta.chunk_index * chunk_latents)
    previous = parts.get("condition", {}).get("previous_frames")
    if previous is not None and previous.shape != condition.shape:
        raise SnapshotError(
            f"snapshot: condition.previous_frames has shape {list(previous.shape)}, the model takes "
            f"{list(condition.shape)} - {_FIX}"
        )
    position = parts.get("condition", {}).get("position")
    if position is not None and int(position) != meta.chunk_index * chunk_latents:
        raise SnapshotError(
            f"snapshot: condition.position is {int(position)} after {meta.chunk_index} chunks of {chunk_latents} "
            f"latent frames - {_FIX}"
        )


def _check_indices(part: str, tensors: Mapping[str, Tensor], end: int) -> None:
    """Names are `index.name`; each index is of the past."""
    for name in tensors:
        index = name.split(".", 1)[0]
        if "." in name and not (index.isascii() and index.isdigit() and len(index) < 20 and int(index) < end):
            raise SnapshotError(f"snapshot: {part}.{name} is not of the session's past, which ends at {end} - {_FIX}")
