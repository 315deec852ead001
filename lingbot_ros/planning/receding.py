"""The receding horizon: plan, execute some frames, look, plan again, and arrive at a fixed frame."""

from collections.abc import Iterator
from dataclasses import dataclass

from lingbot_ros.errors import InputError


@dataclass(frozen=True)
class Horizon:
    """frames: of one plan. execute: frames after which to plan anew. budget: frames in all.

    A horizon of fixed length with a cost at its end recedes with every plan, and its goal is never reached. So every
    plan arrives at the same frame, `frames` after the first; then the next period begins.
    """

    frames: int
    execute: int
    budget: int

    def __post_init__(self) -> None:
        if not 1 <= self.execute <= self.frames or self.budget < 1:
            raise InputError("execute", f"{self.execute} of {self.frames} frames", "execute 1 frame to all of them")

    def plans(self) -> Iterator[tuple[int, int, bool]]:
        """For each plan: its length, how many frames of it to execute, whether it continues the plan before."""
        done = 0
        while done < self.budget:
            left = self.frames - done % self.frames
            execute = min(self.execute, left, self.budget - done)
            yield left, execute, left < self.frames
            done += execute


def trusted_horizon(frames: int, max_horizon: int | None, frames_since_real: int) -> int:
    """How many of `frames` the model has been measured to be reliable for; at least 0. None = never measured: all."""
    if max_horizon is None:
        return frames
    return max(0, min(frames, max_horizon - frames_since_real))
