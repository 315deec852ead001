"""What every drive of a moving camera consists of on disk, whoever made it: a bag or a simulator.

DIR/PART_00000/frames.npy     uint8 [T, H, W, 3] RGB
DIR/PART_00000/poses.npy      float64 [T, 4, 4] camera-to-world in metres: right, down, forward, position; the world's
                              axes are those of the source
DIR/PART_00000/intrinsics.npy float64 [4] = fx, fy, cx, cy in pixels; the centre of the upper left pixel is (0.5, 0.5)
DIR/PART_00000/depth.npy      float16 [T, H, W], metres along the optical axis, 0 where nothing was measured; this file
                              is there only for drives with depth
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.datasets.parts import part_folder
from lingbot_ros.errors import InputError
from lingbot_ros.input_files.arrays import load_array

_MAPPED = ("frames", "depth")
_FORMS: dict[str, tuple[str, tuple[str | int, ...]]] = {
    "frames": ("uint8", ("T", "H", "W", 3)),
    "poses": ("float64", ("T", 4, 4)),
    "intrinsics": ("float64", (4,)),
    "depth": ("float16", ("T", "H", "W")),
}
"""Type and shape of each column; T, H and W are those of the frames."""


class DriveFiles:
    """The drives of a complete set in `root`; frames and depth stay on disk until they are read."""

    def __init__(self, root: Path, part: str, count: int, fps: float) -> None:
        """Raises InputError when one of the `count` drives is missing. `fps`: frames per second."""
        self.root, self.fps, self._part, self._count = root, fps, part, count
        missing = sum(not self.folder(drive).is_dir() for drive in range(count))
        if missing:
            fix = "repeat the command that created it"
            raise InputError("data set", root, f"{missing} of its {count} {part}s are missing; {fix}")
        self._columns: dict[tuple[str, int], NDArray[Any]] = {}

    def __len__(self) -> int:
        """The number of drives."""
        return self._count

    def folder(self, drive: int) -> Path:
        """Where the files of a drive lie."""
        return part_folder(self.root, self._part, drive)

    def frames(self, drive: int) -> NDArray[np.uint8]:
        """uint8 [T, H, W, 3] RGB."""
        return self._column("frames", drive)

    def has_depth(self, drive: int) -> bool:
        """Whether depth was measured on this drive."""
        return (self.folder(drive) / "depth.npy").exists()

    def depth(self, drive: int) -> NDArray[np.float16]:
        """float16 [T, H, W] in metres, of a drive that has depth; 0: not measured."""
        return self._column("depth", drive)

    def poses(self, drive: int) -> NDArray[np.float64]:
        """Camera-to-world, float64 [T, 4, 4]."""
        return self._column("poses", drive)

    def intrinsics(self, drive: int) -> NDArray[np.float64]:
        """fx, fy, cx, cy in pixels."""
        return self._column("intrinsics", drive)

    def _column(self, name: str, drive: int) -> NDArray[Any]:
        if (name, drive) not in self._columns:
            file = self.folder(drive) / f"{name}.npy"
            try:
                column = load_array(file, mapped=name in _MAPPED)
            except (OSError, ValueError) as error:
                raise InputError("data set", file, f"remove its folder and create it again ({error})") from error
            self._columns[name, drive] = self._checked(column, name, drive, file)
        return self._columns[name, drive]

    def _checked(self, column: NDArray[Any], name: str, drive: int, file: Path) -> NDArray[Any]:
        """Of the type and shape that its name promises, and finite where that is soon seen."""
        dtype, shape = _FORMS[name]
        frames = column if name == "frames" else self.frames(drive)
        sizes = dict(zip("THW", frames.shape, strict=False))
        expected = tuple(sizes.get(size, size) for size in shape)
        if column.dtype != dtype or column.shape != expected:
            got, wanted = f"{column.dtype} {list(column.shape)}", f"{dtype} [{', '.join(map(str, expected))}]"
            raise InputError("data set", file, f"it is {got}, not {wanted}; remove its folder and create it again")
        if name not in _MAPPED and not np.isfinite(column).all():
            raise InputError("data set", file, "it holds NaN or infinity; remove its folder and create it again")
        return column
