"""Reads a data set of houses."""

from pathlib import Path

from lingbot_ros.datasets.drives.files import DriveFiles
from lingbot_ros.tasks.rooms.dataset.layout import PART, read_plan


class RoomsDataset(DriveFiles):
    """A complete set in `root`: one drive in each house."""

    def __init__(self, root: Path) -> None:
        """Raises InputError for a folder that holds no complete set."""
        self.plan = read_plan(root)
        super().__init__(root, PART, self.plan.houses, self.plan.fps)
