"""Plays a job: policies act on what a world shows them, in waves of as many rollouts as the world has rows."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from lingbot_ros.evaluate.rollouts.job import Job
from lingbot_ros.evaluate.rollouts.record import Rollout
from lingbot_ros.evaluate.rollouts.scorer import Scorer
from lingbot_ros.evaluate.rollouts.stepper import Frames, Stepper
from lingbot_ros.evaluate.rollouts.store import RolloutStore
from lingbot_ros.evaluate.rollouts.wave import Seconds, Wave

Keep = Callable[[Rollout, Frames], None]
"""Takes the frames uint8 [n + 1, H, W, 3] of a finished rollout, the first image included, before it is stored."""


@dataclass(frozen=True)
class Progress:
    """After a rollout ended: `done` of `total` are on disk. eta_s: seconds to go, from the pace of this run.

    stored: all that are on disk, in the order in which they ended.
    """

    done: int
    total: int
    last: Rollout
    eta_s: float
    seconds: Seconds = field(default_factory=Seconds)
    stored: Sequence[Rollout] = ()


def run_rollouts(
    job: Job,
    stepper: Stepper,
    scorer: Scorer,
    store: RolloutStore,
    *,
    progress: Callable[[Progress], None] | None = None,
    keep: Keep | None = None,
) -> list[Rollout]:
    """Play what `store` has not yet, and return all rollouts in the order of the job.

    A run that was killed goes on to the same numbers, bit for bit: every rollout has its own row in its own wave, and
    a wave of which some rollouts are missing is played as a whole. Rows of a batch would else differ by rounding.
    """
    began, played = time.monotonic(), 0
    seconds = Seconds()

    def finished(rollout: Rollout, frames: Frames | None) -> None:
        nonlocal played
        if rollout.key in store.done:
            return
        if keep is not None and frames is not None:
            keep(rollout, frames)
        store.add(rollout)
        played += 1
        left = job.rollouts - len(store.done)
        if progress is not None:
            eta_s = (time.monotonic() - began) / played * left
            progress(Progress(len(store.done), job.rollouts, rollout, eta_s, seconds, list(store.done.values())))

    for wave in job.waves(stepper.rows):
        if any((policy.name, start.id) not in store.done for policy, start in wave):
            Wave(job, stepper, scorer, wave, seconds, finished, keep is not None).play()
    return [store.done[policy.name, start.id] for policy in job.policies for start in job.starts]
