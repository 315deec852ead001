"""What a quantised graph was measured to lose, kept so that it is offered only where it loses little."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch

from lingbot_ros.engine.artifacts import FORMAT, artifacts_folder, folders
from lingbot_ros.engine.kept_folders import check_folder, name_of, write_folder
from lingbot_ros.errors import EngineError

MOST_DB, MOST_IOU = 0.2, 0.01
"""What the figures of a model's own report may lose in a quantised precision."""

WORTH_IT = 1.1
"""How many times as fast as float32 a quantised graph must be on a CPU before it is offered there."""

_REPORT = "quality.json"


@dataclass(frozen=True)
class Quality:
    """Against float32 in PyTorch. `error`: the largest error of one forward, as a share of the largest value.

    `frames_db`: PSNR between the frames of both, by the number of chunks after which. `losses`: by how much figures of
    the model's own report are worse; empty if it has none. `gain`: how many times as fast on this CPU; None where it
    does not run on one.
    """

    precision: str
    error: float
    frames_db: dict[str, float]
    losses: dict[str, float] = field(default_factory=dict)
    gain: float | None = None

    @property
    def refusal(self) -> str:
        """Why it is not offered; empty if it is."""
        if not self.losses:
            return "NOT_MEASURED: the model has no report of its own to hold it against"
        for name, loss in self.losses.items():
            most = MOST_IOU if "iou" in name else MOST_DB
            if loss > most:
                return f"QUALITY_LOST: {name} is worse by {loss:.3f}, allowed are {most:g}"
        if self.gain is not None and self.gain < WORTH_IT:
            return f"NOT_FASTER: {self.gain:.2f} times as fast as f32 on this CPU, {WORTH_IT:g} are asked for"
        return ""


def quality_key(weights: str, precision: str, dtype: torch.dtype) -> dict[str, str]:
    """`weights` is the checkpoint's digest, `dtype` that of what is not quantised."""
    made_of = {"weights": weights, "precision": precision, "dtype": str(dtype)}
    return {"format": str(FORMAT), "graph": "quality", "batch": "1", **made_of}


def write_quality(key: dict[str, str], quality: Quality, where: Path | None = None) -> Path:
    """Keep a measurement; returns its folder."""
    folder = (where or artifacts_folder()) / name_of(key)

    def fill(making: Path) -> None:
        (making / _REPORT).write_text(json.dumps(asdict(quality), indent=1), encoding="utf-8")

    write_folder(folder, key, fill)
    return folder


def require_quality(engine: str, key: dict[str, str], where: Path | None = None) -> Quality:
    """The measurement; raises EngineError unless it was made and says that little is lost."""
    export = f"lingbot export MODEL --to {'onnx' if engine == 'onnxruntime' else engine} --precision {key['precision']}"
    places = [*([where] if where else []), *folders()]
    found = next((place / name_of(key) for place in places if (place / name_of(key)).is_dir()), None)
    if found is None:
        raise EngineError(f"engine: NOT_MEASURED: {key['precision']} must be calibrated and measured first: {export}")
    try:
        check_folder(found, key)
        quality = Quality(**json.loads((found / _REPORT).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise EngineError(f"engine: STALE_PLAN: {found} cannot be used ({error}); {export} creates it again") from error
    if quality.refusal:
        raise EngineError(f"engine: {quality.refusal}; use another precision")
    return quality
