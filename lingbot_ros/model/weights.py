"""Transformer weights from and to safetensors: every name and shape is checked, nothing is unpickled."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from lingbot_ros.errors import ErrorCode, ModelError
from lingbot_ros.model.config import TransformerConfig
from lingbot_ros.model.transformer import CausalWorldTransformer

FLOAT32_PARTS = ("time_embedding", "time_projection", "head", "action_embedding")
"""Small top-level parts that compute in float32 whatever the precision of the rest (spec 3.5, 3.6)."""

_LISTED_PROBLEMS = 5


def parameter_shapes(config: TransformerConfig) -> dict[str, tuple[int, ...]]:
    """Name and shape of every parameter, without allocating any."""
    with torch.device("meta"):
        model = CausalWorldTransformer(config)
    return {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}


def check_names_and_shapes(found: Mapping[str, tuple[int, ...]], config: TransformerConfig, source: object) -> None:
    """Raise ModelError naming each tensor that is missing, unexpected or of another shape."""
    expected = parameter_shapes(config)
    problems = [f"missing {name} {list(shape)}" for name, shape in expected.items() if name not in found]
    problems += [f"unexpected {name}" for name in found if name not in expected]
    problems += [
        f"{name} is {list(found[name])}, must be {list(shape)}"
        for name, shape in expected.items()
        if name in found and tuple(found[name]) != shape
    ]
    if problems:
        more = f" and {len(problems) - _LISTED_PROBLEMS} more" if len(problems) > _LISTED_PROBLEMS else ""
        raise ModelError(
            f"{source}: weights do not fit the card's architecture: {'; '.join(problems[:_LISTED_PROBLEMS])}{more}. "
            "Use the weights that belong to this card"
        )


def load_transformer(
    config: TransformerConfig, files: list[Path], precision: torch.dtype, device: str
) -> CausalWorldTransformer:
    """Build a transformer straight from memory-mapped files: one tensor at a time to its device and dtype.

    Raises ModelError for a file that is missing, truncated or not safetensors, and for weights that do not fit.
    """
    opened = [open_weights(path) for path in files]
    shapes = {name: tuple(file.get_slice(name).get_shape()) for file in opened for name in file.keys()}
    check_names_and_shapes(shapes, config, files[0].parent if len(files) > 1 else files[0])
    state: dict[str, Tensor] = {}
    for file in opened:
        for name in file.keys():
            state[name] = file.get_tensor(name).to(device, parameter_dtype(name, precision), copy=True)
    with torch.device("meta"):
        model = CausalWorldTransformer(config)
    model.load_state_dict(state, strict=True, assign=True)
    return model.requires_grad_(False).eval()


def parameter_dtype(name: str, precision: torch.dtype) -> torch.dtype:
    """Stored dtype of a parameter when the linears run in `precision`."""
    part, leaf = name.split(".")[0], name.split(".")[-1]
    return torch.float32 if part in FLOAT32_PARTS or leaf == "modulation" else precision


def open_weights(path: Path) -> safe_open:
    """Open a safetensors file for reading; raises ModelError with what to do if that is impossible."""
    if not path.exists():
        raise ModelError(f"weights: {path} does not exist; restore it from the repository or download the model again")
    try:
        return safe_open(path, framework="pt")
    except (SafetensorError, OSError) as error:
        raise ModelError(
            f"weights: {path} ({path.stat().st_size} bytes) is truncated or not a safetensors file ({error}); "
            "restore it from the repository or download the model again"
        ) from error


def check_digest(path: Path, sha256: str, size: int) -> None:
    """Raise ModelError unless the file has this size and SHA-256."""
    if not path.exists():
        raise ModelError(f"weights: {path} does not exist; restore it from the repository or download the model again")
    actual = path.stat().st_size
    if actual != size:
        raise ModelError(
            f"weights: {path} is {actual} bytes, the card says {size}: truncated or another file; "
            "restore it from the repository or download the model again"
        )
    if file_sha256(path) != sha256:
        raise ModelError(
            f"weights: {path} does not have the SHA-256 of the card ({sha256[:12]}...); "
            "restore it from the repository or download the model again",
            ErrorCode.BAD_WEIGHTS,
        )


def file_sha256(path: Path) -> str:
    """SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def save_transformer(model: CausalWorldTransformer, path: Path, dtype: torch.dtype) -> None:
    """Write all parameters as safetensors in one dtype."""
    tensors = {name: tensor.detach().to("cpu", dtype).contiguous() for name, tensor in model.state_dict().items()}
    save_file(tensors, path)
