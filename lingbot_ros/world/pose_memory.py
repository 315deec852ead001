"""Latent frames of the past that a camera comes back to: recorded, compressed, managed, selected, shown to attention.

A frame's keys and values are kept as they were committed, so that nothing is computed again. Keys stay rotated by the
absolute time at which they were made: like the sink's, their distance in time grows without bound, and no weights were
ever shown anything else. Frames are shown in cache slots behind the window, which only a full window leaves room for;
until then every frame of the past is in the window anyway.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lingbot_ros.control.camera import CameraControl
from lingbot_ros.control.poses import Poses
from lingbot_ros.errors import InputError, SnapshotError
from lingbot_ros.model.cache import KVCache

STEP_TURN_RAD = np.radians(8.0)
"""What the released key control turns in one latent step, while it moves by one unit step."""


@dataclass(frozen=True)
class MemoryOptions:
    """`frames` latent frames are shown at once, of `bank` remembered ones, from poses within `reach`.

    The distance of two poses is in latent steps at full speed: 1 is one unit step of translation, or 8 degrees.
    """

    frames: int = 4
    bank: int = 32
    reach: float = 3.0

    @classmethod
    def of_places(cls, bank: int) -> "MemoryOptions | None":
        """Options by the number of remembered latent frames alone; none for 0."""
        return cls(frames=min(cls.frames, bank), bank=bank) if bank else None

    def __post_init__(self) -> None:
        if self.frames < 1:
            raise InputError("memory.frames", self.frames, "give at least 1 latent frame, or no memory")
        if self.bank < self.frames:
            raise InputError("memory.bank", self.bank, f"give at least memory.frames, {self.frames}")
        if not self.reach > 0:
            raise InputError("memory.reach", self.reach, "give a positive distance in latent steps")


@dataclass(frozen=True)
class Remembered:
    """A committed latent frame: its index, its camera-to-world pose [4, 4], and per branch K and V of all layers.

    `kept` [2 * layers, H, tokens, D] in the cache's type; nobody changes them, so that forks share them.
    """

    frame: int
    pose: NDArray[np.float64]
    kept: tuple[Tensor, ...]


def pose_distance(one: Poses, other: Poses, unit_step: float) -> NDArray[np.float64]:
    """Between every pose of `one` [n, 4, 4] and of `other` [m, 4, 4], in latent steps: [n, m]."""
    moved = np.linalg.norm(one[:, None, :3, 3] - other[None, :, :3, 3], axis=-1) / unit_step
    trace = np.einsum("nij,mij->nm", one[:, :3, :3], other[:, :3, :3])
    turned = np.arccos(np.clip((trace - 1) / 2, -1, 1)) / STEP_TURN_RAD
    return np.asarray(np.hypot(moved, turned))


def record(caches: Sequence[KVCache], place: int, frame: int, pose: NDArray[np.float64]) -> Remembered:
    """Copy the latent frame in slot `place` of every cache to main memory."""
    kept = []
    for cache in caches:
        tokens = cache.tokens_per_frame
        rows = [tensor[0, :, place * tokens : (place + 1) * tokens] for tensor in (*cache.keys, *cache.values)]
        kept.append(torch.stack(rows).to("cpu"))
    return Remembered(frame, pose.copy(), tuple(kept))


def compress(poses: Poses, bank: Sequence[Remembered], unit_step: float) -> int:
    """Which one latent frame of a chunk, at `poses` [c, 4, 4], is worth keeping: the farthest from all remembered."""
    if not bank:
        return 0
    known = np.stack([item.pose for item in bank])
    return int(pose_distance(poses, known, unit_step).min(axis=1).argmax())


def manage(bank: Sequence[Remembered], limit: int, unit_step: float) -> list[Remembered]:
    """The bank within its limit: of the two frames from the nearest poses the later goes, as it has drifted more."""
    kept = list(bank)
    while len(kept) > limit:
        poses = np.stack([item.pose for item in kept])
        distance = pose_distance(poses, poses, unit_step)
        distance[np.tril_indices(len(kept))] = np.inf
        kept.pop(int(distance.min(axis=0).argmin()))
    return kept


def select(
    bank: Sequence[Remembered], poses: Poses, visible: Collection[int], options: MemoryOptions, unit_step: float
) -> list[Remembered]:
    """The remembered frames to show while a chunk at `poses` [c, 4, 4] is made: nearest first, none in `visible`."""
    hidden = [item for item in bank if item.frame not in visible]
    if not hidden:
        return []
    distance = pose_distance(np.stack([item.pose for item in hidden]), poses, unit_step).min(axis=1)
    order = np.argsort(distance, kind="stable")[: options.frames]
    return [hidden[index] for index in order if distance[index] <= options.reach]


class PoseMemory:
    """One session's memory. Only `commit` changes what a fork or a snapshot carries."""

    def __init__(self, options: MemoryOptions, control: CameraControl, caches: Sequence[KVCache]) -> None:
        """`control` and `caches` are the session's, with room for `options.frames` behind the window."""
        self.options = options
        self.bank: list[Remembered] = []
        self.shown: list[int] = []
        self._next: list[Remembered] = []
        self._control, self._caches = control, list(caches)
        self._held: dict[int, int] = {}  # place behind the window -> latent frame that was copied there

    def recall(self) -> int:
        """Put what fits the next chunk's poses behind the caches' window; returns how many latent frames that are.

        In the order of time, so that the same frames are summed in the same order by every copy of a session.
        """
        visible = self._caches[0].ring.visible(self._caches[0].committed)
        chosen = select(self.bank, self._poses, visible, self.options, self._control.unit_step)
        chosen.sort(key=lambda item: item.frame)
        for place, item in enumerate(chosen):
            if self._held.get(place) != item.frame:
                self._held.pop(place, None)
                self._show(place, item)
                self._held[place] = item.frame
        self.shown = [item.frame for item in chosen]
        return len(chosen)

    def remember(self) -> None:
        """Choose one latent frame of the chunk that is about to be committed; `commit` adds it to the bank."""
        chosen, cache = compress(self._poses, self.bank, self._control.unit_step), self._caches[0]
        frame = cache.committed * cache.ring.chunk + chosen
        item = record(self._caches, cache.slot.write + chosen, frame, self._poses[chosen])
        self._next = manage([*self.bank, item], self.options.bank, self._control.unit_step)

    def commit(self) -> None:
        """Make what `remember` chose the past."""
        self.bank, self._next = self._next, []

    def rollback(self) -> None:
        """Let go of what `remember` chose."""
        self._next = []

    def require_same_options(self, state: dict[str, Tensor]) -> None:
        """Raise SnapshotError unless `state` is that of a memory with the same options."""
        mine, theirs = self.state()["options"].tolist(), state["options"].tolist()
        if mine != theirs:
            raise SnapshotError(
                f"snapshot: its memory (frames, bank, reach) is {theirs}, this world's is {mine}; "
                "load the world with the same memory"
            )

    @property
    def _poses(self) -> Poses:
        assert self._control.latent_poses is not None
        return self._control.latent_poses

    def _show(self, place: int, item: Remembered) -> None:
        for cache, kept in zip(self._caches, item.kept, strict=True):
            first = (cache.ring.window + place) * cache.tokens_per_frame
            for target, source in zip((*cache.keys, *cache.values), kept, strict=True):
                target[0, :, first : first + cache.tokens_per_frame].copy_(source)

    def state(self) -> dict[str, Tensor]:
        """By name; frame i holds `i.pose` and `i.0`, with guidance also `i.1`."""
        options = torch.tensor([self.options.frames, self.options.bank, self.options.reach], dtype=torch.float64)
        state = {"options": options}
        for item in self.bank:
            state[f"{item.frame}.pose"] = torch.from_numpy(item.pose)
            state |= {f"{item.frame}.{index}": kept for index, kept in enumerate(item.kept)}
        return state

    def load_state(self, state: dict[str, Tensor]) -> None:
        """The reverse of `state`, of a memory with the same options."""
        found: dict[int, dict[str, Tensor]] = {}
        for key, tensor in state.items():
            if key != "options":
                number, name = key.split(".", 1)
                found.setdefault(int(number), {})[name] = tensor.cpu()
        self.bank, self._next, self._held = [], [], {}
        for frame, parts in sorted(found.items()):
            pose = parts.pop("pose").numpy()
            self.bank.append(Remembered(frame, pose, tuple(parts[str(index)] for index in range(len(parts)))))
