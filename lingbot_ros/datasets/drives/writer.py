"""Writes a set of drives one by one; what is there already is kept."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.datasets.drives.layout import PART, DrivePlan, read_plan
from lingbot_ros.datasets.parts import SPARE_BYTES, missing_parts, new_part, part_folder, require_space, write_task_plan


@dataclass(frozen=True)
class Drive:
    """One drive of T frames; see `files` for shapes and units. depth: None where nothing was measured."""

    frames: NDArray[np.uint8]
    poses: NDArray[np.float64]
    intrinsics: NDArray[np.float64]
    depth: NDArray[np.float16] | None = None


class DriveSetWriter:
    """Begins the set in `root` or takes it up; then `write` each of `missing()`.

    Raises InputError when `root` holds a set of another plan, ResourceError when the disk cannot take the rest.
    """

    def __init__(self, root: Path, plan: DrivePlan) -> None:
        self.root, self.plan = root, plan
        missing = missing_parts(root, plan, read_plan, write_task_plan, PART, len(plan.frames))
        if missing:
            require_space(root, plan.bytes * len(missing) // len(plan.frames) + SPARE_BYTES)

    def missing(self) -> list[int]:
        """The numbers of the drives that are not there yet."""
        return [drive for drive in range(len(self.plan.frames)) if not part_folder(self.root, PART, drive).is_dir()]

    def write(self, number: int, drive: Drive) -> None:
        """Put a drive in place in one move."""
        with new_part(self.root, PART, number) as folder:
            np.save(folder / "frames.npy", drive.frames)
            np.save(folder / "poses.npy", drive.poses)
            np.save(folder / "intrinsics.npy", drive.intrinsics)
            if drive.depth is not None:
                np.save(folder / "depth.npy", drive.depth)
