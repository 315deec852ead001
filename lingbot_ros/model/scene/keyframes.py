"""What a scene remembers of real images: views with depth, in arrays that are allocated once.

Rows are written once, and only by real images. So no frame is made of one that was made. Like the pose memory of the
large models it records, selects, compresses and manages; what is recorded here are views instead of keys and values.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lingbot_ros.model.scene.camera import Floats, Pinhole, Pose, to_world

GRID = 32
"""Points of a row that are kept in the world, per side."""
_STATE = ("colour", "disparity", "surface", "pose", "time")
TURN_M = 2.0
"""What a turn of one radian counts in the distance of two poses, in metres."""


@dataclass(frozen=True)
class Keyframe:
    """A real view: colour uint8 [H, W, 3], disparity [H, W] in 1/m, surface uint8 [H, W], where it was taken.

    surface: see `surfaces`.
    """

    colour: NDArray[np.uint8]
    disparity: Floats
    surface: NDArray[np.uint8]
    pose: Pose


def pose_distance(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Between every pose of `one` [n, 4, 4] and of `other` [m, 4, 4], in metres: [n, m]."""
    moved = np.linalg.norm(one[:, None, :3, 3] - other[None, :, :3, 3], axis=-1)
    cosine = np.einsum("ni,mi->nm", one[:, :3, 2], other[:, :3, 2])
    return np.asarray(np.hypot(moved, TURN_M * np.arccos(np.clip(cosine, -1, 1))))


def row_bytes(height: int, width: int) -> int:
    """What one remembered view takes in memory."""
    return height * width * (3 + 4 + 1) + GRID * GRID * 12 + 16 * 8 + 8


class Keyframes:
    """At most `limit` rows of one camera. Fixed arrays; `count` of them are in use, in the order of `time`."""

    def __init__(self, lens: Pinhole, limit: int) -> None:
        height, width = lens.height, lens.width
        self.lens, self.limit, self.count = lens, limit, 0
        self.colour = np.zeros((limit, height, width, 3), np.uint8)
        self.disparity = np.zeros((limit, height, width), np.float32)
        self.surface = np.zeros((limit, height, width), np.uint8)
        self.pose = np.zeros((limit, 4, 4))
        self.time = np.zeros(limit, np.int64)
        self.points = np.zeros((limit, GRID * GRID, 3), np.float32)
        self._rays = lens.rays()

    def row(self, index: int) -> Keyframe:
        """Row number `index`, as views."""
        return Keyframe(self.colour[index], self.disparity[index], self.surface[index], self.pose[index])

    def record(self, view: Keyframe) -> None:
        """Remember a view; when all rows are in use, one goes (see `manage`)."""
        index = self.count if self.count < self.limit else self.manage()
        self.colour[index], self.disparity[index] = view.colour, view.disparity
        self.surface[index], self.pose[index] = view.surface, view.pose
        self.time[index] = self.time[: self.count].max(initial=0) + 1
        self._grid(index)
        self.count = min(self.count + 1, self.limit)

    def manage(self) -> int:
        """Which row goes: of the two from the nearest poses the later."""
        distance = pose_distance(self.pose, self.pose)
        distance[np.diag_indices(self.limit)] = np.inf
        pair = np.array(np.unravel_index(int(distance.argmin()), distance.shape))
        return int(pair[self.time[pair].argmax()])

    def state(self) -> dict[str, Tensor]:
        """All of it by name; arrays that follow from others are left out. Nobody changes the tensors."""
        state = {name: torch.from_numpy(getattr(self, name)) for name in _STATE}
        return state | {"count": torch.tensor(self.count)}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """The reverse of `state`; copies."""
        for name in _STATE:
            mine, theirs = getattr(self, name), state[name].numpy()
            if mine.shape != theirs.shape or mine.dtype != theirs.dtype:
                raise ValueError(f"{name} is {theirs.dtype} {list(theirs.shape)}, not {mine.dtype} {list(mine.shape)}")
            setattr(self, name, theirs.copy())
        count = int(state["count"])
        if not 0 <= count <= self.limit:
            raise ValueError(f"{count} rows of {self.limit}")
        self.count = count
        self.points = np.zeros_like(self.points)
        for index in range(count):
            self._grid(index)

    def _grid(self, index: int) -> None:
        rows, columns = (np.linspace(0, n - 1, GRID).round().astype(int) for n in self.disparity.shape[1:])
        at = np.ix_(rows, columns)
        rays, disparity = self._rays[at], self.disparity[index][at]
        self.points[index] = to_world(rays / np.maximum(disparity, 1e-3)[..., None], self.pose[index]).reshape(-1, 3)
