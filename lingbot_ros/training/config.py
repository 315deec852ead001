"""What a training run is, read from one YAML file that is kept beside the model it makes."""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lingbot_ros.checkpoints.architecture import parse_dataclass, parse_transformer, require_mapping
from lingbot_ros.errors import InputError
from lingbot_ros.input_files.regular import read_text
from lingbot_ros.input_files.yaml_text import parse_yaml
from lingbot_ros.model.config import StreamConfig, TransformerConfig


@dataclass(frozen=True)
class Schedule:
    """Optimisation. Learning rate: linear warm-up, constant, then linear to zero over the last `decay_fraction`."""

    batch_clips: int = 4
    learning_rate: float = 1e-3
    warmup_iterations: int = 100
    decay_fraction: float = 0.25
    weight_decay: float = 0.01
    ema: float = 0.998
    gradient_clip: float = 1.0


@dataclass(frozen=True)
class Rollout:
    """Training on the model's own predictions (see `RolloutPool`).

    A clip is trained `depth` times after its first, each time conditioned on what the model made of it the time before.
    The first `teacher_iterations` see true pasts only; then the depth grows linearly to `depth` over `ramp_iterations`.
    """

    clip_frames: int = 12
    pool_clips: int = 192
    depth: int = 10
    teacher_iterations: int = 700
    ramp_iterations: int = 1000


@dataclass(frozen=True)
class ValidationConfig:
    """What the averaged model is validated on: held-out windows of real frames, then the true actions alone."""

    windows: int = 24
    context: int = 4
    horizon: int = 16


@dataclass(frozen=True)
class GateConfig:
    """After so many minutes of training `figure` at open-loop `frame` must be better than `bar` and than doing nothing.

    The minutes count over all sittings; on a CPU they are the processor's. Without a `bar` only doing nothing has to be
    beaten.
    """

    figure: str
    after_minutes: float = 10.0
    frame: int = 16
    bar: float | None = None


@dataclass(frozen=True)
class DistillConfig:
    """How much of the loss is against what a teacher imagines; the rest is against the truth."""

    teacher_share: float = 0.7


@dataclass(frozen=True)
class LayerFitConfig:
    """How much colours and motions of rigid layers are fitted before the network (see `fit_layers`)."""

    transitions: int = 150_000
    iterations: int = 12_000


_PARTS: dict[str, type] = {
    "stream": StreamConfig,
    "schedule": Schedule,
    "rollout": Rollout,
    "validation": ValidationConfig,
    "gate": GateConfig,
    "distill": DistillConfig,
    "layer_fit": LayerFitConfig,
}


@dataclass(frozen=True)
class TrainConfig:
    """A whole run. `foreground_weight` multiplies the loss where a frame differs from the data's median image.

    For rigid layers whose truth the data knows, `motion_weight` is that of their motions' error in pixels, and
    `parts_weight` that of the cross-entropy of which pixel belongs to which.
    """

    name: str
    transformer: TransformerConfig
    stream: StreamConfig
    schedule: Schedule = field(default_factory=Schedule)
    rollout: Rollout = field(default_factory=Rollout)
    validation: ValidationConfig = field(default_factory=ValidationConfig)
    gate: GateConfig | None = None
    distill: DistillConfig = field(default_factory=DistillConfig)
    layer_fit: LayerFitConfig | None = None
    moving_fraction: float = 0.7
    foreground_weight: float = 8.0
    motion_weight: float = 0.2
    parts_weight: float = 0.1
    seed: int = 0

    @classmethod
    def load(cls, path: Path) -> "TrainConfig":
        """Read a YAML file; an unknown or missing key is an InputError that names it."""
        if not path.is_file():
            fix = "give the path of a training YAML such as config/training/small.yaml"
            raise InputError("--config", path, fix)
        data = require_mapping(parse_yaml(read_text(path, "--config"), f"--config {path}"), str(path))
        if "look" in data:
            print(f"{path}: `look:` is deprecated, write `validation:`", file=sys.stderr)
            data.setdefault("validation", data.pop("look"))
        transformer = parse_transformer(data.pop("transformer", {}), f"{path}: transformer")
        if transformer.prediction == "velocity":
            fix = "this trainer makes one-step models of the next frame: use residual, motion or layers"
            raise InputError(f"{path}: transformer.prediction", "velocity", fix)
        if data.get("layer_fit") is not None and transformer.prediction != "layers":
            raise InputError(f"{path}: layer_fit", f"with prediction {transformer.prediction}", "leave it out")
        nested: dict[str, Any] = {
            key: parse_dataclass(kind, data.pop(key), f"{path}: {key}")
            for key, kind in _PARTS.items()
            if data.get(key) is not None
        }
        return parse_dataclass(cls, {**data, **nested, "transformer": transformer}, str(path))
