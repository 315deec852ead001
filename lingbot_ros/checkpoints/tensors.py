"""Reading stored tensors one at a time: memory-mapped, never unpickled unsafely."""

import hashlib
import pickle
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from lingbot_ros.checkpoints.layout import weight_files
from lingbot_ros.errors import ModelError

AGAIN = "restore it from the repository or download the model again"

_BLOCK_BYTES = 2**20
_PICKLED = {".pth", ".pt", ".bin"}


def open_weights(path: Path) -> safe_open:
    """Open a safetensors file for reading; raises ModelError with what to do if that is impossible."""
    if not path.exists():
        raise ModelError(f"weights: {path} does not exist; {AGAIN}")
    try:
        return safe_open(path, framework="pt")
    except (SafetensorError, OSError) as error:
        raise ModelError(
            f"weights: {path} ({path.stat().st_size} bytes) is truncated or not a safetensors file ({error}); {AGAIN}"
        ) from error


def stored_shapes(files: Sequence[Path]) -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor, from the headers alone; raises ModelError for a name that two files have."""
    shapes: dict[str, tuple[int, ...]] = {}
    for path in files:
        file = open_weights(path)
        for name in file.keys():  # noqa: SIM118, it is no dictionary
            if name in shapes:
                raise ModelError(f"weights: {path} repeats {name}, which another shard has too; {AGAIN}")
            shapes[name] = tuple(file.get_slice(name).get_shape())
    return shapes


def stored_dtypes(files: Sequence[Path]) -> dict[str, str]:
    """Name -> dtype as safetensors writes it (F32, BF16, ...), from the headers alone."""
    dtypes: dict[str, str] = {}
    for path in files:
        file = open_weights(path)
        dtypes |= {name: file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118
    return dtypes


def check_size(path: Path, size: int) -> None:
    """Raise ModelError unless the file exists and has this size."""
    if not path.is_file():
        raise ModelError(f"weights: {path} does not exist; {AGAIN}")
    actual = path.stat().st_size
    if actual != size:
        raise ModelError(f"weights: {path} is {actual} bytes, the card says {size}: truncated or another file; {AGAIN}")


def check_digest(path: Path, sha256: str, size: int) -> None:
    """Raise ModelError unless the file has this size and SHA-256."""
    check_size(path, size)
    if file_sha256(path) != sha256:
        raise ModelError(f"weights: {path} does not have the expected SHA-256 ({sha256[:12]}...); {AGAIN}")


def file_sha256(path: Path) -> str:
    """SHA-256 of a file in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def tensor_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor of what `read_tensors` reads. Of safetensors only the headers are read."""
    if path.suffix in _PICKLED:
        return {name: tuple(tensor.shape) for name, tensor in _read_pickled(path)}
    return stored_shapes(weight_files(path))


def read_tensors(path: Path) -> Iterator[tuple[str, Tensor]]:
    """Every tensor of a .safetensors file, a folder of them or a .pth file: views of the mapped file, in its dtype.

    A .pth file may hold tensors only: anything that would run code while it is read is refused with a ModelError.
    """
    if path.suffix in _PICKLED:
        yield from _read_pickled(path)
        return
    files = weight_files(path)
    if not files:
        raise ModelError(f"weights: {path} has no .safetensors files; {AGAIN}")
    for file in files:
        opened = open_weights(file)
        for name in opened.keys():  # noqa: SIM118
            yield name, opened.get_tensor(name)


def _read_pickled(path: Path) -> Iterator[tuple[str, Tensor]]:
    if not path.exists():
        raise ModelError(f"weights: {path} does not exist; {AGAIN}")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError) as error:
        reason = str(error).split("\n", maxsplit=1)[0]
        raise ModelError(f"weights: {path} is damaged or holds more than tensors ({reason}); {AGAIN}") from error
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise ModelError(f"weights: {path} is not a dictionary of tensors; {AGAIN}")
    yield from state.items()
