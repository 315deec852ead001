"""How a set of drives from recordings lies on disk.

DIR/dataset.json    the plan: what the set holds once it is complete, and where it comes from
DIR/drive_00000/    frames, poses, intrinsics, and depth where the recording has it, see `files`. It appears under this
                    name only when it is whole (written aside, then renamed)
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lingbot_ros.datasets.drives.files import DriveFiles
from lingbot_ros.datasets.parts import PLAN_FILE
from lingbot_ros.errors import InputError

SCHEMA_VERSION = 1
KIND = "drives"
PART = "drive"


@dataclass(frozen=True)
class DrivePlan:
    """All that decides what a set holds. `frames`: of each drive; `validation`: the numbers of those held out.

    source: where the drives come from, for people and for telling two sets apart. fps: frames per second. Frames are
    height x width pixels. depth: whether depth was asked for.
    """

    source: dict[str, Any]
    fps: float
    height: int
    width: int
    frames: tuple[int, ...]
    validation: tuple[int, ...]
    depth: bool
    kind: str = KIND
    schema_version: int = SCHEMA_VERSION

    @property
    def bytes(self) -> int:
        """Size of the complete set, without headers."""
        return sum(self.frames) * (self.height * self.width * (5 if self.depth else 3) + 128)

    @property
    def training(self) -> tuple[int, ...]:
        """The drives that are not for validation."""
        held = set(self.validation)
        return tuple(drive for drive in range(len(self.frames)) if drive not in held)


class DriveSet(DriveFiles):
    """A complete set of drives in `root`."""

    def __init__(self, root: Path) -> None:
        """Raises InputError for a folder that holds no complete set."""
        self.plan = read_plan(root)
        super().__init__(root, PART, len(self.plan.frames), self.plan.fps)


def is_drive_set(root: Path) -> bool:
    """Whether `root` holds a set of this kind, finished or not."""
    try:
        content = json.loads((root / PLAN_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and content.get("kind") == KIND


def read_plan(root: Path) -> DrivePlan:
    """The plan of the set in `root`. Raises InputError when there is none or it is of another schema."""
    fix = "give a folder made by `lingbot dataset from-bag --poses`"
    try:
        content = json.loads((root / PLAN_FILE).read_text(encoding="utf-8"))
        values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in content.items()}
        plan = DrivePlan(**values)
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise InputError("data set", root, f"{fix} ({PLAN_FILE}: {error})") from error
    if plan.schema_version != SCHEMA_VERSION:
        raise InputError(
            "data set", root, f"its schema is {plan.schema_version}, not {SCHEMA_VERSION}; create it again"
        )
    return plan
