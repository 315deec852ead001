"""Writes a set of clips episode by episode; what is there already is kept."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.checkpoints.tensors import file_sha256
from lingbot_ros.datasets.layout import (
    PART,
    ClipPlan,
    Completion,
    episode_folder,
    read_plan,
    write_completion,
    write_plan,
)
from lingbot_ros.datasets.limits import quantile_limits
from lingbot_ros.datasets.parts import missing_parts, new_part, require_space
from lingbot_ros.errors import InputError

_SPARE_BYTES = 100_000_000


class ClipSetWriter:
    """Begins the set in `root` or takes it up; then `write` each of `missing()`, then `finish()`.

    Raises InputError when `root` holds a set of another plan, ResourceError when the disk cannot take the rest. However
    it ends, the episodes written are whole, and the next writer takes up from them.
    """

    def __init__(self, root: Path, plan: ClipPlan) -> None:
        self.root, self.plan = root, plan
        missing = missing_parts(root, plan, read_plan, write_plan, PART, len(plan.steps))
        pixels = plan.height * plan.width * 3
        if missing:
            require_space(root, sum((plan.steps[episode] + 1) * pixels for episode in missing) + _SPARE_BYTES)

    def missing(self) -> list[int]:
        """The numbers of the episodes that are not there yet."""
        count = len(self.plan.steps)
        return [episode for episode in range(count) if not episode_folder(self.root, episode).is_dir()]

    def write(self, episode: int, frames: Iterable[NDArray[np.uint8]], actions: NDArray[np.float32]) -> None:
        """Put an episode in place in one move: T + 1 frames uint8 [H, W, 3] RGB, actions [T, dim] in own units.

        Frames are written as they come. Raises InputError when they are not what the plan says.
        """
        steps, plan = self.plan.steps[episode], self.plan
        actions = np.asarray(actions, np.float32)
        if actions.shape != (steps, plan.dim) or not np.isfinite(actions).all():
            fix = f"give {steps} finite actions of {plan.dim} components ({', '.join(plan.action_names)})"
            raise InputError(f"actions of episode {episode}", f"shape {list(actions.shape)}", fix)
        with new_part(self.root, PART, episode) as folder:
            motion = self._write_frames(folder / "frames.npy", episode, frames)
            np.save(folder / "actions.npy", actions)
            np.save(folder / "motion.npy", motion)

    def finish(self) -> Completion:
        """Declare the set complete. Raises InputError while episodes are missing."""
        if missing := self.missing():
            raise InputError("data set", self.root, f"{len(missing)} of its episodes are missing")
        files = [episode_folder(self.root, episode) / "actions.npy" for episode in range(len(self.plan.steps))]
        actions = np.concatenate([np.load(file) for file in files])
        if self.plan.low is not None and self.plan.high is not None:
            low, high = self.plan.low, self.plan.high
        else:
            low, high = quantile_limits(actions, self.plan.quantile)
        outside = np.mean((actions < low) | (actions > high), axis=0)
        names = zip(self.plan.action_names, np.ptp(actions, axis=0), strict=True)
        completion = Completion(
            low=low,
            high=high,
            outside=tuple(map(float, outside)),
            constant=tuple(name for name, span in names if span == 0),
            actions_sha256=tuple(file_sha256(file) for file in files),
        )
        write_completion(self.root, completion)
        return completion

    def _write_frames(self, path: Path, episode: int, frames: Iterable[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Writes the file and returns the motion [T]. Ordinary writes: a full disk is then an error, not a signal."""
        expected = (self.plan.height, self.plan.width, 3)
        shape = (self.plan.steps[episode] + 1, *expected)
        motion: list[float] = []
        previous: NDArray[np.int16] | None = None
        count = 0
        with open(path, "wb") as file:
            np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
            for count, frame in enumerate(frames, 1):  # noqa: B007 - the count is wanted after the loop
                if frame.shape != expected or frame.dtype != np.uint8:
                    what, fix = f"{frame.dtype} {list(frame.shape)}", f"give uint8 {list(expected)}"
                    raise InputError(f"frames of episode {episode}", what, fix)
                file.write(np.ascontiguousarray(frame).tobytes())
                current = frame.astype(np.int16)
                if previous is not None:
                    motion.append(float(np.abs(current - previous).mean()))
                previous = current
        if count != shape[0]:
            raise InputError(f"frames of episode {episode}", f"{count} frames", f"the plan says {shape[0]}")
        return np.array(motion, np.float32)
