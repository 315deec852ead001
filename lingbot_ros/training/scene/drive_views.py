"""Views of drives, for the training of a depth network."""

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray

from lingbot_ros.datasets.drives.files import DriveFiles
from lingbot_ros.datasets.drives.parallax import parallax
from lingbot_ros.errors import InputError
from lingbot_ros.training.scene.views import Views

_APART_S = 1.5
"""How far the other view of a drive is from a view at most."""


class DriveViews:
    """Draws a frame of any of the drives, and beside it other frames of the same drive.

    Of a drive without depth only frames that have parallax are drawn: those that another frame shows from elsewhere.
    """

    def __init__(self, data: DriveFiles, drives: Iterable[int], with_depth: bool = True) -> None:
        """`with_depth` False: do as if no depth had been measured. Raises InputError where there is no such frame."""
        self._data, self._with_depth = data, with_depth
        self._parallax: dict[int, NDArray[np.bool_]] = {}
        self._usable: list[tuple[int, NDArray[np.int64]]] = []
        for drive in drives:
            apart = parallax(data.poses(drive), data.fps)
            frames = np.arange(len(apart)) if self._has_depth(drive) else np.flatnonzero(apart.any(1))
            self._parallax[drive] = apart
            if len(frames):
                self._usable.append((drive, frames))
        if not self._usable:
            fix = "a drive without depth must move the camera, not only turn it"
            raise InputError("data set", data.root, f"no frame has parallax: {fix}")

    def draw(self, count: int, rng: np.random.Generator) -> Views:
        """See `ViewSource`."""
        rows = [self._draw_row(rng) for _ in range(count)]
        data = self._data

        def colours(chosen: list[tuple[int, int]]) -> torch.Tensor:
            return torch.from_numpy(np.stack([data.frames(drive)[t] for drive, t in chosen])).permute(0, 3, 1, 2)

        first, other = [(drive, t) for drive, t, _, _ in rows], [(drive, t) for drive, _, t, _ in rows]
        sources = [(drive, t) for drive, _, _, pair in rows for t in pair]
        return Views(
            colour=colours(first),
            depth=self._depths(first),
            other_colour=colours(other),
            other_depth=self._depths(other),
            to_other=self._to(first, other),
            sources=colours(sources).unflatten(0, (count, 2)),
            to_sources=self._to([one for one in first for _ in range(2)], sources).unflatten(0, (count, 2)),
            intrinsics=torch.from_numpy(np.stack([data.intrinsics(drive) for drive, _ in first])).float(),
        )

    def _draw_row(self, rng: np.random.Generator) -> tuple[int, int, int, tuple[int, int]]:
        """Drive, frame, other frame, and two sources; the frame is its own source where it has no parallax."""
        drive, frames = self._usable[int(rng.integers(len(self._usable)))]
        first, last = int(rng.choice(frames)), len(self._parallax[drive]) - 1
        steps = max(1, round(_APART_S * self._data.fps))
        other = int(np.clip(first + rng.integers(-steps, steps + 1), 0, last))
        apart = np.flatnonzero(self._parallax[drive][first])
        before, after = apart[apart < first], apart[apart > first]
        sides = [side if len(side) else apart for side in (before, after)]
        one, two = (int(rng.choice(side)) if len(side) else first for side in sides)
        return drive, first, other, (one, two)

    def _has_depth(self, drive: int) -> bool:
        return self._with_depth and self._data.has_depth(drive)

    def _depths(self, chosen: list[tuple[int, int]]) -> torch.Tensor:
        height, width = self._data.frames(chosen[0][0]).shape[1:3]
        rows = [
            self._data.depth(drive)[t] if self._has_depth(drive) else np.zeros((height, width), np.float16)
            for drive, t in chosen
        ]
        return torch.from_numpy(np.stack(rows)).float()[:, None]

    def _to(self, first: list[tuple[int, int]], second: list[tuple[int, int]]) -> torch.Tensor:
        """From the cameras of `first` to those of `second`: float32 [N, 4, 4]."""
        poses = self._data.poses
        relative = [
            np.linalg.inv(poses(drive)[there]) @ poses(drive)[here]
            for (drive, here), (_, there) in zip(first, second, strict=True)
        ]
        return torch.from_numpy(np.stack(relative)).float()
