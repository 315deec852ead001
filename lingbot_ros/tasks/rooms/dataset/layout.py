"""How a data set of houses lies on disk.

DIR/dataset.json               the plan: what the set holds once it is complete, and by which versions it is rendered
DIR/house_00000/frames.npy     uint8 [T, H, W, 3] RGB
DIR/house_00000/depth.npy      float16 [T, H, W], metres along the optical axis
DIR/house_00000/poses.npy      float64 [T, 4, 4] camera-to-world: right, down, forward, position in metres; world y up
DIR/house_00000/intrinsics.npy float64 [4] = fx, fy, cx, cy in pixels
DIR/house_00000/               appears under this name only when it is whole (written aside, then renamed)
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from lingbot_ros.errors import InputError

SCHEMA_VERSION = 1
PLAN_FILE = "dataset.json"


@dataclass(frozen=True)
class RoomsPlan:
    """All that decides a data set's bytes. `versions` names the packages that render; frames are size x size pixels."""

    task: str
    split: str
    seed: int
    houses: int
    frames: int
    fps: float
    size: int
    versions: dict[str, str]
    schema_version: int = SCHEMA_VERSION

    @property
    def bytes(self) -> int:
        """Size of the complete set, without headers."""
        return self.houses * self.frames * (self.size * self.size * 5 + 128)


def house_folder(root: Path, index: int) -> Path:
    """Where house number `index` of the set in `root` lies once it is whole."""
    return root / f"house_{index:05d}"


def write_plan(root: Path, plan: RoomsPlan) -> None:
    """Begin the data set in `root`, which is made if need be. Raises InputError when it cannot be written."""
    aside = root / f".{PLAN_FILE}.{os.getpid()}"
    try:
        root.mkdir(parents=True, exist_ok=True)
        aside.write_text(json.dumps(asdict(plan), indent=2) + "\n", encoding="utf-8")
        aside.replace(root / PLAN_FILE)
    except OSError as error:
        raise InputError("out", root, f"give a folder that can be written to ({error.strerror})") from error


def read_plan(root: Path) -> RoomsPlan:
    """The plan of the data set in `root`. Raises InputError when there is none or it is of another schema."""
    try:
        content = json.loads((root / PLAN_FILE).read_text(encoding="utf-8"))
        version = content["schema_version"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        fix = f"give a folder made by `lingbot dataset rooms` ({PLAN_FILE}: {error})"
        raise InputError("data set", root, fix) from error
    if content.get("task") != "rooms" or version != SCHEMA_VERSION:
        raise InputError("data set", root, "it is no data set of rooms of this version; create it again")
    return RoomsPlan(**content)
