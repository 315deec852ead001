"""What a training run of a scene model is, read from one YAML file that is kept beside the model."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lingbot_ros.checkpoints.architecture import parse_dataclass
from lingbot_ros.errors import InputError
from lingbot_ros.input_files.regular import read_text
from lingbot_ros.input_files.yaml_text import parse_yaml
from lingbot_ros.model.scene.config import SceneConfig
from lingbot_ros.training.config import Schedule

KEY = "scene"


@dataclass(frozen=True)
class SceneTrainConfig:
    """A whole run. `holes`: the share of views in which only what another view saw is known."""

    scene: SceneConfig
    schedule: Schedule = field(default_factory=Schedule)
    holes: float = 0.4
    seed: int = 0

    @classmethod
    def load(cls, path: Path) -> "SceneTrainConfig | None":
        """Read a YAML file with the key `scene`; None where it describes another kind of run. Raises InputError."""
        try:
            data = parse_yaml(read_text(path, "--config"), str(path))
        except InputError:
            return None  # the reader of the other kind says what is wrong
        if not isinstance(data, dict) or KEY not in data:
            return None
        parts: dict[str, type] = {"scene": SceneConfig, "schedule": Schedule}
        nested: dict[str, Any] = {
            key: parse_dataclass(kind, data[key] or {}, f"{path}: {key}") for key, kind in parts.items() if key in data
        }
        return parse_dataclass(cls, data | nested, str(path))
