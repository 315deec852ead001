"""What a checkpoint holds, and whether it is whole."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lingbot_ros.checkpoints import layout
from lingbot_ros.checkpoints.detect import check_config, detect_architecture
from lingbot_ros.checkpoints.names import style_of
from lingbot_ros.checkpoints.tensors import AGAIN, file_sha256, read_tensors, stored_dtypes, stored_shapes
from lingbot_ros.checkpoints.weights import check_names_and_shapes, released_shapes
from lingbot_ros.errors import ModelError
from lingbot_ros.model.config import RayControlConfig, TransformerConfig

_SHA256_DIGITS = 64


@dataclass(frozen=True)
class TransformerReport:
    """A transformer that was found whole: nothing missing, nothing unexpected, every shape right."""

    files: tuple[Path, ...]
    architecture: TransformerConfig
    naming: str
    tensors: int
    parameters: int
    dtypes: dict[str, int]

    @property
    def bytes(self) -> int:
        return sum(path.stat().st_size for path in self.files)

    def text(self) -> str:
        """Two lines for a terminal."""
        shape, control = self.architecture, self.architecture.control
        dtypes = ", ".join(f"{count} {dtype}" for dtype, count in self.dtypes.items())
        rays = f", camera rays of {control.channels} channels" if isinstance(control, RayControlConfig) else ""
        return (
            f"{self.tensors} tensors ({dtypes}), {self.parameters:,} parameters, {self.bytes:,} bytes in "
            f"{len(self.files)} file{'s' * (len(self.files) != 1)}, {self.naming} names\n"
            f"{shape.num_layers} layers of width {shape.dim}, {shape.num_heads} heads{rays}"
        )


def verify_transformer(files: Sequence[Path], architecture: TransformerConfig | None = None) -> TransformerReport:
    """Check every name and shape against an architecture, or against the one that the shapes themselves tell.

    Reads headers only. Raises ModelError naming what is missing, unexpected, of another shape or truncated.
    """
    shapes = released_shapes(files)
    architecture = architecture or detect_architecture(shapes)
    check_names_and_shapes(shapes, architecture, files[0].parent if len(files) > 1 else files[0])
    check_config(architecture, files)
    return TransformerReport(
        tuple(files),
        architecture,
        style_of(stored_shapes(files)),
        len(shapes),
        sum(math.prod(shape) for shape in shapes.values()),
        dict(Counter(stored_dtypes(files).values())),
    )


def verify_part(path: Path) -> str:
    """Open all tensors of a companion (text encoder, autoencoder); returns one line, raises ModelError if damaged."""
    tensors, parameters = 0, 0
    for _, tensor in read_tensors(path):
        tensors += 1
        parameters += tensor.numel()
    return f"{tensors} tensors, {parameters:,} parameters"


def transformers_of(path: Path) -> dict[str, tuple[Path, ...]]:
    """The transformer files below a path: of one, or of both experts. Raises ModelError when there are none."""
    if path.is_file():
        return {"transformer": (path,)}
    if (path / layout.LOW_NOISE_FOLDERS[0]).is_dir() or (path / layout.LOW_NOISE_FOLDERS[1]).is_dir():
        return {
            "high-noise expert": layout.find_transformer(path, layout.HIGH_NOISE_FOLDERS),
            "low-noise expert": layout.find_transformer(path, layout.LOW_NOISE_FOLDERS),
        }
    return {"transformer": layout.find_transformer(path)}


def verify_checksums(files: Sequence[Path], progress: Callable[[Path], None] = lambda path: None) -> int:
    """Compare files of the download cache, stored under their SHA-256, with it; returns how many were compared.

    Small files are stored under another kind of name and are skipped. Raises ModelError naming a damaged file.
    """
    compared = 0
    for path in files:
        progress(path)
        address = path.resolve().name
        if len(address) != _SHA256_DIGITS or not path.is_symlink():
            continue
        if file_sha256(path) != address:
            raise ModelError(f"weights: {path} does not have the SHA-256 it was published with; delete it and {AGAIN}")
        compared += 1
    return compared
