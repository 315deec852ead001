"""One goal of `~/evaluate_policy`, from its fields to the files of its report. Knows messages, but no node."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lingbot_msgs.action import EvaluatePolicy
from lingbot_msgs.msg import RolloutScore
from lingbot_ros.errors import InputError, LingbotError
from lingbot_ros.evaluate.controls import UNIVERSAL
from lingbot_ros.evaluate.policies.contract import RowPolicies
from lingbot_ros.evaluate.policies.policies_file import Kind, read_policies
from lingbot_ros.evaluate.policy_report.play import IMAGINED, REFERENCE, Plan, Played, play
from lingbot_ros.evaluate.policy_report.verdict import verdict
from lingbot_ros.evaluate.policy_report.write import write_report
from lingbot_ros.evaluate.policy_task import PolicyTask
from lingbot_ros.evaluate.report_files import write_text
from lingbot_ros.evaluate.rollouts.record import Rollout
from lingbot_ros.evaluate.rollouts.run import Progress
from lingbot_ros.evaluate.rollouts.stepper import Stepper
from lingbot_ros.evaluate.rollouts.stopping import StoppableStepper
from lingbot_ros.nodes.evaluator.messages import agreement_metrics, control_metric, policy_scores
from lingbot_ros.nodes.evaluator.worlds import Worlds

CANCELED, OUT_OF_TIME = "it was canceled", "the time budget is used up"

_ARMS = {IMAGINED: RolloutScore.ARM_IMAGINED, REFERENCE: RolloutScore.ARM_REFERENCE}


@dataclass(frozen=True)
class Heard:
    """Who is told of what comes in. rollout: a finished one with its arm (RolloutScore.ARM_*), kind of wrong actions
    and index of its start. progress: done, total, seconds to go, and the scores so far.
    """

    rollout: Callable[[Rollout, int, str, int], None]
    progress: Callable[[int, int, float, list[Any]], None]


class GoalEvaluation:
    """Checks a goal at once; `run` plays it, on a thread that may be held for hours."""

    def __init__(
        self,
        goal: EvaluatePolicy.Goal,
        task: PolicyTask,
        worlds: Worlds,
        folder: Path,
        default_rollouts: int,
        kinds: Mapping[str, Kind],
    ) -> None:
        """folder: of the report. Raises InputError for what can never work."""
        if not goal.time_budget >= 0:
            raise InputError("time_budget", goal.time_budget, "give seconds of 0 or more")
        self._goal, self.task, self._worlds, self.folder = goal, task, worlds, folder
        self._rollouts = int(goal.rollouts) or default_rollouts
        self._frames = int(goal.frames) or max(task.horizons)
        self._file, self._policies = _policies(goal, task, folder, kinds)
        self._done: dict[str, int] = {}
        controls = UNIVERSAL if goal.controls else ()
        self._controls = {f"{self._policies[0].name}/{kind}": kind for kind in controls}
        arms = 2 if goal.reference else 1
        self.total = arms * self._rollouts * (len(self._policies) + len(controls))

    def run(self, why_stop: Callable[[], str], heard: Heard, result: EvaluatePolicy.Result) -> str:
        """Play and report into `result`; why it ended early, or empty. Raises LingbotError.

        Imagined rollouts come first: they are what is asked for, and a time budget may end the others.
        """
        began_s = time.monotonic()

        def stop() -> str:
            if self._goal.time_budget and time.monotonic() - began_s > self._goal.time_budget:
                return OUT_OF_TIME
            return why_stop()

        try:
            starts = []
            for start in self.task.starts(self._rollouts, self._goal.seed, self.folder):
                if stopped := stop():
                    break
                starts.append(start)
            else:
                stopped = self._play_and_report(starts, stop, heard, result)
        finally:
            result.duration = time.monotonic() - began_s
            for policy in self._policies:
                close = getattr(policy, "close", None)
                if close is not None:
                    close()
        result.rollouts_done, result.rollouts_total = sum(self._done.values()), self.total
        result.report = str(self.folder)
        return stopped

    def _play_and_report(
        self, starts: Sequence[Any], stop: Callable[[], str], heard: Heard, result: EvaluatePolicy.Result
    ) -> str:
        model = self._worlds.model
        settings = {
            "model": dict(model.settings),
            "policies_file": self._file.read_text(encoding="utf-8"),
            "task": self.task.name,
        }
        plan = Plan(self._policies, starts, self._frames, self._goal.seed, settings, tuple(self._controls.values()))
        stepper = self._worlds.rollouts()
        imagined = self._arm(IMAGINED, stepper, plan, stop, heard)
        reference: Played | None = None
        if self._goal.reference and not imagined.stopped:
            reference = self._arm(REFERENCE, self.task.reference(stepper.rows), plan, stop, heard)
        stopped = imagined.stopped or (reference.stopped if reference is not None else "")
        self._report(plan, imagined, None if stopped else reference, result)
        return stopped

    def _arm(self, arm: str, stepper: Stepper, plan: Plan, stop: Callable[[], str], heard: Heard) -> Played:
        index_of = {start.id: index for index, start in enumerate(plan.starts)}

        def show(now: Progress) -> None:
            last = now.last
            control = self._controls.get(last.policy, "")
            self._done[arm] = now.done
            heard.rollout(last, RolloutScore.ARM_CONTROL if control else _ARMS[arm], control, index_of[last.start])
            scores = self._scores(now.stored, arm, final=False)
            heard.progress(sum(self._done.values()), self.total, now.eta_s, scores)

        played = play(plan, arm, StoppableStepper(stepper, stop), self.task, self.folder, show)
        self._done[arm] = len(played.policies) + len(played.controls)
        return played

    def _report(self, plan: Plan, imagined: Played, reference: Played | None, result: EvaluatePolicy.Result) -> None:
        if not imagined.policies:
            result.verdict = f"No rollout is complete: {imagined.stopped}."
            return
        threshold = self.task.threshold
        findings, _ = write_report(
            self.folder,
            plan,
            self.task,
            threshold,
            self._worlds.model.max_horizon,
            imagined,
            reference,
            f"~/evaluate_policy, report {self.folder.name}",
        )
        result.scores = self._scores(imagined.policies, IMAGINED, final=True)
        result.agreement = agreement_metrics(findings.main.agreement)
        result.controls = [control_metric(control.name, control.imagined) for control in findings.controls]
        result.verdict = " ".join(verdict(findings))
        result.warnings = list(findings.warnings)

    def _scores(self, rollouts: Sequence[Rollout], arm: str, *, final: bool) -> list[Any]:
        mine = [rollout for rollout in rollouts if rollout.policy not in self._controls]
        return policy_scores(mine, self.task, self.task.threshold, final=final, arm=_ARMS[arm])


def _policies(
    goal: EvaluatePolicy.Goal, task: PolicyTask, folder: Path, kinds: Mapping[str, Kind]
) -> tuple[Path, list[RowPolicies]]:
    """The file that lists the policies, and those of it that the goal names."""
    if goal.policies_file and goal.policies_yaml:
        raise InputError("policies_file, policies_yaml", "both", "give one of them")
    file = Path(goal.policies_file).expanduser() if goal.policies_file else task.policies_file
    if goal.policies_yaml:
        file = folder / "policies.yaml"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LingbotError(f"out: {folder} cannot be made ({error.strerror}); give another folder") from error
        write_text(file, goal.policies_yaml)
    every = read_policies(file, kinds)
    names = [policy.name for policy in every]
    for name in goal.policies:
        if name not in names:
            raise InputError("policies", name, f"the file has {', '.join(names)}")
    return file, [policy for policy in every if not goal.policies or policy.name in goal.policies]
