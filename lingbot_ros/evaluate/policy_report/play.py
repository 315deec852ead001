"""Plays both arms of an evaluation into a folder, where they can be taken up again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lingbot_ros.evaluate.controls import UNIVERSAL, ActionSpace, make_control
from lingbot_ros.evaluate.policies.contract import RowPolicies, Start
from lingbot_ros.evaluate.policy_report.strips import keep_strip
from lingbot_ros.evaluate.policy_task import PolicyTask
from lingbot_ros.evaluate.rollouts.job import Job
from lingbot_ros.evaluate.rollouts.record import Rollout
from lingbot_ros.evaluate.rollouts.run import Progress, run_rollouts
from lingbot_ros.evaluate.rollouts.stepper import Stepper
from lingbot_ros.evaluate.rollouts.stopping import StoppedError
from lingbot_ros.evaluate.rollouts.store import RolloutStore
from lingbot_ros.evaluate.rollouts.wave import Seconds

IMAGINED, REFERENCE = "imagined", "reference"


@dataclass(frozen=True)
class Played:
    """The rollouts of one arm, those of controls apart, and where the time of this run went.

    stopped: why some are missing; empty when all were played.
    """

    policies: list[Rollout]
    controls: list[Rollout]
    seconds: Seconds
    stopped: str = ""


@dataclass(frozen=True)
class Plan:
    """What is played in every arm. controls: kinds of `evaluate.controls`, of the first policy's actions."""

    policies: Sequence[RowPolicies]
    starts: Sequence[Start]
    horizon: int
    seed: int
    settings: dict[str, Any]
    controls: Sequence[str] = UNIVERSAL


def play(
    plan: Plan, arm: str, stepper: Stepper, task: PolicyTask, folder: Path, show: Callable[[Progress], None]
) -> Played:
    """Play what `folder` has not of an arm; policies that see wrong actions come last.

    A stepper that raises `StoppedError` ends it early, with the rollouts that are complete.

    Raises InputError where the folder has another evaluation, ResourceError where it cannot be written.
    """
    space = ActionSpace(stepper.low, stepper.high, task.rest)
    controls = [make_control(kind, plan.policies[0], space) for kind in plan.controls]
    job = Job(
        arm,
        [*plan.policies, *controls],
        plan.starts,
        plan.horizon,
        plan.seed,
        settings=plan.settings,
        read_state=task.robot_state,
    )
    seconds = Seconds()

    def progress(now: Progress) -> None:
        nonlocal seconds
        seconds = now.seconds
        show(now)

    fingerprint = job.fingerprint(f"{task.scorer.name} {task.scorer.version}", stepper.rows)
    with RolloutStore(folder / f"{arm}.jsonl", fingerprint) as store:
        stopped = ""
        try:
            rollouts = run_rollouts(
                job,
                stepper,
                task.scorer,
                store,
                progress=progress,
                keep=lambda rollout, frames: keep_strip(folder, rollout, frames),
            )
        except StoppedError as stop:
            rollouts, stopped = list(store.done.values()), str(stop)
    names = {control.name for control in controls}
    return Played(
        [rollout for rollout in rollouts if rollout.policy not in names],
        [rollout for rollout in rollouts if rollout.policy in names],
        seconds,
        stopped,
    )
