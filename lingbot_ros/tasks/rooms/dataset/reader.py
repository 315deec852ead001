"""Reads a data set of houses."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.errors import InputError
from lingbot_ros.tasks.rooms.dataset.layout import house_folder, read_plan


class RoomsDataset:
    """A complete set in `root`; frames and depth stay on disk until they are read."""

    def __init__(self, root: Path) -> None:
        """Raises InputError for a folder that holds no complete set."""
        self.root, self.plan = root, read_plan(root)
        missing = [index for index in range(self.plan.houses) if not house_folder(root, index).is_dir()]
        if missing:
            fix = "repeat the command that created it"
            raise InputError("data set", root, f"{len(missing)} of its {self.plan.houses} houses are missing; {fix}")
        self._columns: dict[tuple[str, int], NDArray[Any]] = {}

    def frames(self, house: int) -> NDArray[np.uint8]:
        """uint8 [T, H, W, 3] RGB."""
        return self._column("frames", house)

    def depth(self, house: int) -> NDArray[np.float16]:
        """float16 [T, H, W] in metres."""
        return self._column("depth", house)

    def poses(self, house: int) -> NDArray[np.float64]:
        """Camera-to-world, float64 [T, 4, 4]."""
        return self._column("poses", house)

    def intrinsics(self, house: int) -> NDArray[np.float64]:
        """fx, fy, cx, cy in pixels."""
        return self._column("intrinsics", house)

    def _column(self, name: str, house: int) -> NDArray[Any]:
        if (name, house) not in self._columns:
            file = house_folder(self.root, house) / f"{name}.npy"
            try:
                self._columns[name, house] = np.load(file, mmap_mode="r" if name in ("frames", "depth") else None)
            except (OSError, ValueError) as error:
                raise InputError("data set", file, f"remove its folder and create it again ({error})") from error
        return self._columns[name, house]
