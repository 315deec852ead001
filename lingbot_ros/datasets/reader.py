"""Reads a set of clips."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.checkpoints.tensors import file_sha256
from lingbot_ros.datasets.layout import episode_folder, read_completion, read_plan
from lingbot_ros.errors import InputError
from lingbot_ros.input_files.arrays import load_array


class ClipSet:
    """A set on disk. Frames stay there, mapped into memory; all else is loaded. Safe to use after a fork."""

    def __init__(self, root: Path | str) -> None:
        """Raises InputError when `root` holds no set, an unfinished one, or a damaged episode."""
        self.root = Path(root)
        self.plan = read_plan(self.root)
        completion = read_completion(self.root)
        self.low, self.high = completion.low, completion.high
        self.actions: list[NDArray[np.float32]] = []
        self.motion: list[NDArray[np.float32]] = []
        for episode, steps in enumerate(self.plan.steps):
            folder, plan = episode_folder(self.root, episode), self.plan
            # Not kept open: a mapped file holds a descriptor, of which a process has few.
            _load(folder / "frames.npy", (steps + 1, plan.height, plan.width, 3), np.uint8, mapped=True)
            self.actions.append(_load(folder / "actions.npy", (steps, plan.dim), np.float32))
            self.motion.append(_load(folder / "motion.npy", (steps,), np.float32))
            if file_sha256(folder / "actions.npy") != completion.actions_sha256[episode]:
                raise InputError(
                    "data set", folder, "its actions are not those that were written; create the set again"
                )

    def __len__(self) -> int:
        """The number of episodes."""
        return len(self.plan.steps)

    def frames(self, episode: int) -> NDArray[np.uint8]:
        """All images of an episode, uint8 [T+1, H, W, 3] RGB, mapped from disk."""
        frames: NDArray[np.uint8] = np.load(episode_folder(self.root, episode) / "frames.npy", mmap_mode="r")
        return frames

    def windows(self, episodes: Sequence[int], length: int) -> NDArray[np.int64]:
        """Every window of `length` frames in `episodes` as (episode, first frame): int64 [N, 2]; none: InputError."""
        found = [
            (episode, start) for episode in episodes for start in range(max(0, self.plan.steps[episode] + 2 - length))
        ]
        if length < 2 or not found:
            longest = max((self.plan.steps[episode] + 1 for episode in episodes), default=0)
            fix = f"the longest of these episodes has {longest}; give 2 to {longest}"
            raise InputError("clip length", f"{length} frames", fix)
        return np.array(found, np.int64)

    def moving(self, windows: NDArray[np.int64], length: int) -> NDArray[np.bool_]:
        """Which of `windows` [N, 2] move more than the median one, by mean change of the image: bool [N]."""
        change = np.array([self.motion[episode][start : start + length - 1].mean() for episode, start in windows])
        return np.asarray(change > np.median(change))


def _load(file: Path, shape: tuple[int, ...], dtype: type[np.generic], *, mapped: bool = False) -> NDArray[Any]:
    try:
        array = load_array(file, mapped=mapped)
    except (OSError, ValueError) as error:
        raise InputError("data set", file, f"remove its folder and create it again ({error})") from error
    if array.shape != shape or array.dtype != dtype:
        raise InputError("data set", file, f"it is not {shape} {dtype.__name__}; remove its folder and create it again")
    return array
