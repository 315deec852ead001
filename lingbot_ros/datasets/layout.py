"""How a set of robot clips lies on disk.

DIR/dataset.json                what the set holds once it is complete, and where it comes from
DIR/episode_00000/frames.npy    uint8 [T+1, H, W, 3] RGB; action k leads from frame k to frame k + 1
DIR/episode_00000/actions.npy   float32 [T, dim], in the source's own units
DIR/episode_00000/motion.npy    float32 [T], mean absolute difference of frames k and k + 1, grey levels of 255
DIR/episode_00000/              appears under this name only when it is whole (written aside, then renamed)
DIR/complete.json               written last: the range of each action component, the digest of each episode's actions
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lingbot_ros.datasets.parts import PLAN_FILE, disk_error, part_folder
from lingbot_ros.errors import InputError

SCHEMA_VERSION = 1
COMPLETE_FILE = "complete.json"
KIND = "clips"
PART = "episode"


@dataclass(frozen=True)
class ClipPlan:
    """All that decides what a set holds. `steps` and `validation` are per episode and by episode number.

    source: where the clips come from and how they were cut, for people and for telling two sets apart. fps: frames per
    second. Frames are height x width pixels. low, high: the range of each component, or None: see `limits.py`.
    """

    source: dict[str, Any]
    fps: float
    height: int
    width: int
    action_names: tuple[str, ...]
    steps: tuple[int, ...]
    validation: tuple[int, ...]
    action_unit: str = ""
    low: tuple[float, ...] | None = None
    high: tuple[float, ...] | None = None
    quantile: float = 0.001
    kind: str = KIND
    schema_version: int = SCHEMA_VERSION

    @property
    def dim(self) -> int:
        """Components of an action."""
        return len(self.action_names)

    @property
    def frames(self) -> int:
        """Images in the complete set."""
        return sum(self.steps) + len(self.steps)

    @property
    def bytes(self) -> int:
        """Size of the complete set, without the headers of its files."""
        return self.frames * self.height * self.width * 3 + sum(self.steps) * 4 * (self.dim + 1)

    @property
    def training(self) -> tuple[int, ...]:
        """The episodes that are not for validation."""
        held = set(self.validation)
        return tuple(episode for episode in range(len(self.steps)) if episode not in held)


@dataclass(frozen=True)
class Completion:
    """What is known once all episodes are there.

    outside: share of action values beyond low..high, per component. constant: names of components that never change.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]
    outside: tuple[float, ...]
    constant: tuple[str, ...]
    actions_sha256: tuple[str, ...]


def episode_folder(root: Path, episode: int) -> Path:
    """Where episode number `episode` of the set in `root` lies once it is whole."""
    return part_folder(root, PART, episode)


def is_clip_set(root: Path) -> bool:
    """Whether `root` holds a set of this kind, finished or not."""
    try:
        content = json.loads((root / PLAN_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and content.get("kind") == KIND


def write_plan(root: Path, plan: ClipPlan) -> None:
    """Begin the set in `root`, which is made if need be. Raises ResourceError when it cannot be written."""
    _write_json(root / PLAN_FILE, asdict(plan))


def read_plan(root: Path) -> ClipPlan:
    """The plan of the set in `root`. Raises InputError when there is none or it is of another schema."""
    content = _read_json(root, PLAN_FILE, "give a folder made by `lingbot dataset from-bag` or `from-lerobot`")
    values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in content.items()}
    try:
        return ClipPlan(**values)
    except TypeError as error:
        raise InputError(
            "data set", root, f"{PLAN_FILE} is not a plan of clips ({error}); create the set again"
        ) from error


def write_completion(root: Path, completion: Completion) -> None:
    """Declare the set in `root` complete."""
    _write_json(root / COMPLETE_FILE, asdict(completion) | {"schema_version": SCHEMA_VERSION})


def read_completion(root: Path) -> Completion:
    """Raises InputError for a set that is not complete."""
    content = _read_json(root, COMPLETE_FILE, "it is not complete: repeat the command that created it")
    try:
        del content["schema_version"]
        return Completion(**{name: tuple(value) for name, value in content.items()})
    except TypeError as error:
        raise InputError("data set", root, f"{COMPLETE_FILE} is damaged ({error}); create the set again") from error


def _read_json(root: Path, name: str, fix: str) -> dict[str, Any]:
    try:
        content = json.loads((root / name).read_text(encoding="utf-8"))
        version = content["schema_version"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError("data set", root, f"{fix} ({name}: {error})") from error
    if version != SCHEMA_VERSION:
        raise InputError("data set", root, f"its schema is {version}, not {SCHEMA_VERSION}; create it again")
    return dict(content)


def _write_json(path: Path, content: dict[str, Any]) -> None:
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        aside.replace(path)
    except OSError as error:
        raise disk_error(path.parent, error.strerror) from error
