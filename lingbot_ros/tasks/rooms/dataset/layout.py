"""How a data set of houses lies on disk.

DIR/dataset.json   the plan: what the set holds once it is complete, and by which versions it is rendered
DIR/house_00000/   frames, depth, poses and intrinsics of one drive, see `datasets.drives.files`; world y points up.
                   It appears under this name only when it is whole (written aside, then renamed)
"""

from dataclasses import dataclass
from pathlib import Path

from lingbot_ros.datasets.parts import part_folder, read_task_plan

SCHEMA_VERSION = 1
PART = "house"


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
    return part_folder(root, PART, index)


def read_plan(root: Path) -> RoomsPlan:
    """The plan of the data set in `root`. Raises InputError when there is none or it is of another schema."""
    return RoomsPlan(**read_task_plan(root, "rooms", "rooms", SCHEMA_VERSION))
