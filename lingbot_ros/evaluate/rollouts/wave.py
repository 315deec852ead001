"""The rollouts that are played together: each in its row, each ending alone."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from lingbot_ros.evaluate.policies.checked import check_actions
from lingbot_ros.evaluate.policies.contract import (
    Actions,
    FailureKind,
    Frame,
    Observation,
    PolicyFailure,
    RowPolicies,
    Start,
)
from lingbot_ros.evaluate.rollouts.job import Job
from lingbot_ros.evaluate.rollouts.record import Ending, Rollout
from lingbot_ros.evaluate.rollouts.scorer import Scorer, ScoreTrack
from lingbot_ros.evaluate.rollouts.stepper import Frames, RowError, Stepper


@dataclass
class Seconds:
    """Where the time of a run went: in the world, in the policies, in the scorer."""

    world: float = 0.0
    policies: float = 0.0
    scorer: float = 0.0

    @contextmanager
    def count(self, what: str) -> Iterator[None]:
        """Add the time of the block to `what`."""
        began = time.perf_counter()
        try:
            yield
        finally:
            setattr(self, what, getattr(self, what) + time.perf_counter() - began)


@dataclass
class _Row:
    """A rollout under way. queue: actions that the policy has given and the world has not had."""

    policy: RowPolicies
    start: Start
    seed: int
    track: ScoreTrack
    seen: Frame
    queue: list[Actions] = field(default_factory=list)
    actions: list[Actions] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    clipped: int = 0


class Wave:
    """Plays `rollouts`, number i in row i, to their ends; `finished` is told of each as it ends."""

    def __init__(
        self,
        job: Job,
        stepper: Stepper,
        scorer: Scorer,
        rollouts: Sequence[tuple[RowPolicies, Start]],
        seconds: Seconds,
        finished: Callable[[Rollout, Frames | None], None],
        keep_frames: bool,
    ) -> None:
        self._job, self._stepper, self._scorer, self._rollouts = job, stepper, scorer, rollouts
        self._seconds, self._finished, self._keep_frames = seconds, finished, keep_frames
        self._rows: dict[int, _Row] = {}

    def play(self) -> None:
        """Until no row is left. Whatever is raised, the rows are free afterwards."""
        try:
            for row, (policy, start) in enumerate(self._rollouts):
                self._begin(row, policy, start)
            while self._rows:
                self._ask()
                self._step()
        finally:
            for row in list(self._rows):
                self._free(row)

    def _begin(self, row: int, policy: RowPolicies, start: Start) -> None:
        seed = self._job.seed_of(policy.name, start)
        with self._seconds.count("world"):
            first = self._stepper.start(row, start, seed)
        if isinstance(first, RowError):
            self._refuse(policy, start, seed, PolicyFailure(FailureKind.WORLD_FAILED, first.reason))
            return
        try:
            with self._seconds.count("scorer"):
                track = self._scorer.begin(start, first)
        except BaseException as error:
            self._stepper.end(row)
            if not isinstance(error, Exception):
                raise
            self._refuse(policy, start, seed, _scorer_failed(error))
            return
        self._rows[row] = _Row(policy, start, seed, track, first, frames=[first])
        with self._seconds.count("policies"):
            failure = policy.begin(row, start, seed)
        if failure is not None:
            self._fail(row, failure)

    def _ask(self) -> None:
        """Fill every row's queue for its next step. Of several frames that a step made, policies see the last one."""
        while True:
            hungry = [row for row, at in self._rows.items() if len(at.queue) < self._stepper.frames_in_next_step(row)]
            if not hungry:
                return
            for policy, asked in self._by_policy(hungry):
                with self._seconds.count("policies"):
                    answers = policy.act(asked, [self._observation(row) for row in asked])
                for row, answer in zip(asked, answers, strict=True):
                    self._take(row, answer)

    def _by_policy(self, rows: Sequence[int]) -> list[tuple[RowPolicies, list[int]]]:
        groups: dict[str, tuple[RowPolicies, list[int]]] = {}
        for row in rows:
            policy = self._rows[row].policy
            groups.setdefault(policy.name, (policy, []))[1].append(row)
        return list(groups.values())

    def _observation(self, row: int) -> Observation:
        at = self._rows[row]
        return Observation(at.seen, len(at.actions) + len(at.queue), at.start.instruction, self._job.read_state)

    def _take(self, row: int, answer: Actions | PolicyFailure) -> None:
        chunk = answer if isinstance(answer, PolicyFailure) else check_actions(answer, len(self._stepper.low))
        if isinstance(chunk, PolicyFailure):
            self._fail(row, chunk)
        else:
            self._rows[row].queue.extend(chunk)

    def _step(self) -> None:
        actions: dict[int, Actions] = {}
        for row, at in self._rows.items():
            count = self._stepper.frames_in_next_step(row)
            wanted, at.queue = np.stack(at.queue[:count]), at.queue[count:]
            actions[row] = np.clip(wanted, self._stepper.low, self._stepper.high)
            at.clipped += int((actions[row] != wanted).any(axis=1).sum())
        if not actions:
            return
        with self._seconds.count("world"):
            shown = self._stepper.step(actions)
        for row, frames in shown.items():
            if isinstance(frames, RowError):
                self._fail(row, PolicyFailure(FailureKind.WORLD_FAILED, frames.reason))
            else:
                self._show(row, actions[row], frames)

    def _show(self, row: int, actions: Actions, frames: Frames) -> None:
        at, horizon = self._rows[row], self._job.horizon
        counted = frames[: horizon - len(at.scores)]
        try:
            with self._seconds.count("scorer"):
                scores = [float(score) for score in at.track.score(counted)]
        except Exception as error:
            self._fail(row, _scorer_failed(error))
            return
        at.actions.extend(actions[: len(counted)])
        at.scores.extend(scores)
        at.seen = frames[-1]
        if self._keep_frames:
            at.frames.extend(counted)
        if self._job.stop_at is not None and any(score >= self._job.stop_at for score in scores):
            self._end(row, Ending.SUCCESS)
        elif len(at.scores) >= horizon:
            self._end(row, Ending.HORIZON)

    def _fail(self, row: int, failure: PolicyFailure) -> None:
        self._end(row, Ending.INVALID, failure)

    def _end(self, row: int, ending: Ending, failure: PolicyFailure | None = None) -> None:
        at = self._rows[row]
        self._free(row)
        rollout = Rollout(
            policy=at.policy.name,
            start=at.start.id,
            arm=self._job.arm,
            seed=at.seed,
            ending=ending,
            scores=tuple(at.scores),
            actions=tuple(tuple(float(value) for value in action) for action in at.actions),
            clipped=at.clipped,
            failure=str(failure.kind) if failure else "",
            reason=failure.reason if failure else "",
            seen_in_training=at.start.seen_in_training,
        )
        self._finished(rollout, np.stack(at.frames) if self._keep_frames else None)

    def _free(self, row: int) -> None:
        at = self._rows.pop(row)
        self._stepper.end(row)
        at.policy.end(row)

    def _refuse(self, policy: RowPolicies, start: Start, seed: int, failure: PolicyFailure) -> None:
        """A rollout that ends before its first action."""
        kind, seen = str(failure.kind), start.seen_in_training
        at_once = Rollout(
            policy.name, start.id, self._job.arm, seed, Ending.INVALID, (), (), 0, kind, failure.reason, seen
        )
        self._finished(at_once, None)


def _scorer_failed(error: Exception) -> PolicyFailure:
    return PolicyFailure(FailureKind.SCORER_FAILED, f"{type(error).__name__}: {error}")
