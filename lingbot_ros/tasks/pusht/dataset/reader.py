"""Reads clips from a Push-T data set, with as many of a moving block among them as training asks for."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lingbot_ros.errors import InputError
from lingbot_ros.input_files.arrays import load_array
from lingbot_ros.tasks.pusht.dataset.layout import FIELDS, field_shape, read_plan, shard_folder

# A block that moved less than this within a window rests, as far as a 96-pixel image can tell (0.2 pixels).
_MOVED_UNITS = 1.0
_MOVED_RADIANS = 0.015


@dataclass(frozen=True)
class Clips:
    """B windows of L frames. `actions[:, k]` leads from frame k to frame k + 1; the last frame has no action here.

    frames uint8 [B, L, 96, 96, 3] RGB; actions float32 [B, L-1, 2]; pusher, pusher_velocity float32 [B, L, 2];
    block float32 [B, L, 3] = x, y, angle; contact uint8 [B, L-1]. Simulator units (0..512) and radians.
    """

    frames: NDArray[np.uint8]
    actions: NDArray[np.float32]
    pusher: NDArray[np.float32]
    pusher_velocity: NDArray[np.float32]
    block: NDArray[np.float32]
    contact: NDArray[np.uint8]


class PushTDataset:
    """A data set on disk. Frames stay there, mapped into memory; all else is loaded. Safe to use after a fork."""

    def __init__(self, root: Path | str) -> None:
        """Raises InputError when `root` holds no data set, an unfinished one, or a damaged shard."""
        self.root = Path(root)
        self.plan = read_plan(self.root)
        missing = [s for s in range(self.plan.shards) if not shard_folder(self.root, s).is_dir()]
        if missing:
            fix = f"make the {len(missing)} missing of {self.plan.shards} shards with the original command"
            raise InputError("data set", root, fix)
        self._frames: list[NDArray[np.uint8]] = [self._load("frames", shard) for shard in range(self.plan.shards)]
        columns = {
            name: np.concatenate([self._load(name, shard) for shard in range(self.plan.shards)])
            for name in FIELDS
            if name != "frames"
        }
        self.actions, self.contact = columns["actions"], columns["contact"]
        self.pusher, self.pusher_velocity = columns["pusher"], columns["pusher_velocity"]
        self.block, self.seed, self.policy = columns["block"], columns["seed"], columns["policy"]

    def __len__(self) -> int:
        """The number of episodes."""
        return self.plan.episodes

    def frames(self, episode: int) -> NDArray[np.uint8]:
        """All images of an episode, uint8 [T+1, 96, 96, 3], mapped from disk."""
        shard, row = divmod(episode, self.plan.shard_episodes)
        episode_frames: NDArray[np.uint8] = self._frames[shard][row]
        return episode_frames

    def windows(self, length: int) -> NDArray[np.int64]:
        """Every window of `length` frames as (episode, first frame): int64 [N, 2]."""
        starts = self.plan.steps + 2 - length
        if length < 2 or starts < 1:
            raise InputError("clip length", length, f"give 2 to {self.plan.steps + 1} frames")
        grid = np.meshgrid(np.arange(self.plan.episodes), np.arange(starts), indexing="ij")
        return np.stack(grid, axis=-1).reshape(-1, 2)

    def moving(self, windows: NDArray[np.int64], length: int) -> NDArray[np.bool_]:
        """Which of `windows` [N, 2] have a block that moves within their `length` frames: bool [N]."""
        change = np.abs(np.diff(self.block, axis=1))
        steps = (np.hypot(change[..., 0], change[..., 1]) > _MOVED_UNITS / 4) | (change[..., 2] > _MOVED_RADIANS / 4)
        moves = np.concatenate([np.zeros((len(steps), 1), np.int64), np.cumsum(steps, axis=1)], axis=1)
        episode, start = windows.T
        return np.asarray(moves[episode, start + length - 1] > moves[episode, start])

    def clips(self, windows: ArrayLike, length: int) -> Clips:
        """The clips of `length` frames at `windows` [B, 2] = (episode, first frame), copied out."""
        chosen = [(int(episode), int(start)) for episode, start in np.asarray(windows)]

        def cut(column: NDArray[Any], count: int) -> NDArray[Any]:
            return np.stack([column[episode, start : start + count] for episode, start in chosen])

        return Clips(
            frames=np.stack([self.frames(episode)[start : start + length] for episode, start in chosen]),
            actions=cut(self.actions, length - 1),
            pusher=cut(self.pusher, length),
            pusher_velocity=cut(self.pusher_velocity, length),
            block=cut(self.block, length),
            contact=cut(self.contact, length - 1),
        )

    def _load(self, name: str, shard: int) -> NDArray[Any]:
        file = shard_folder(self.root, shard) / f"{name}.npy"
        expected = (len(self.plan.shard_range(shard)), *field_shape(name, self.plan.steps))
        try:
            column = load_array(file, mapped=name == "frames")
        except (OSError, ValueError) as error:
            raise InputError("data set", file, f"remove its folder and create it again ({error})") from error
        if column.shape != expected or column.dtype != FIELDS[name][0]:
            fix = f"it is not {expected} {FIELDS[name][0].__name__}; remove its folder and create it again"
            raise InputError("data set", file, fix)
        return column


class ClipSampler:
    """Draws windows at random, a share of them from those in which the block moves."""

    def __init__(self, dataset: PushTDataset, length: int, moving_share: float) -> None:
        """`length` in frames; `moving_share` 0..1 of the draws have a moving block, the rest are drawn from all."""
        self.dataset, self.length, self._share = dataset, length, moving_share
        self._windows = dataset.windows(length)
        self._moving = self._windows[dataset.moving(self._windows, length)]

    def draw(self, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """`count` windows (episode, first frame): int64 [count, 2]."""
        drawn = self._windows[rng.integers(len(self._windows), size=count)]
        if len(self._moving):
            pick = rng.random(count) < self._share
            drawn[pick] = self._moving[rng.integers(len(self._moving), size=int(pick.sum()))]
        return drawn
