"""Whether the scorer reads imagined images rightly, where their truth is known: a few frames after a real image."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lingbot_ros.evaluate.policies.contract import Actions, Start
from lingbot_ros.evaluate.policy_report.films import play_film
from lingbot_ros.evaluate.policy_task import PolicyTask
from lingbot_ros.evaluate.rollouts.record import Ending, Rollout
from lingbot_ros.evaluate.rollouts.scorer import ScoreTrack
from lingbot_ros.evaluate.rollouts.stepper import Frames, RowError, Stepper
from lingbot_ros.evaluate.seeds import generator

AHEAD = 2
"""Frames that are imagined after a real one, or a whole step where that makes more. No model goes astray in so few."""

MOST = 64


@dataclass(frozen=True)
class KnownFrame:
    """What the scorer says of an imagined image, and what is true after the same actions."""

    said: float
    true: float


@dataclass(frozen=True)
class _Moment:
    rollout: Rollout
    after: int
    """So many actions have been carried out when the real image is taken."""


def score_known_frames(
    rollouts: Sequence[Rollout],
    starts: Mapping[str, Start],
    truth: Mapping[tuple[str, str], Sequence[float]],
    task: PolicyTask,
    stepper: Stepper,
    seed: int,
) -> list[KnownFrame]:
    """Up to 64 frames of the rollouts' actions, half of them truly solved where there are so many.

    truth: of each rollout, what the reference says of every frame that its actions lead to. `stepper` is the imagining
    world; its rows must be free.
    """
    moments = _choose(rollouts, truth, task.threshold, seed)
    found = []
    for first in range(0, len(moments), stepper.rows):
        found += _imagine(moments[first : first + stepper.rows], starts, truth, task, stepper)
    return found


def _choose(
    rollouts: Sequence[Rollout], truth: Mapping[tuple[str, str], Sequence[float]], threshold: float, seed: int
) -> list[_Moment]:
    solved, open_ = list[_Moment](), list[_Moment]()
    for rollout in rollouts:
        if rollout.ending is not Ending.INVALID:
            for after in range(1, len(rollout.actions) - AHEAD + 1):
                moment = _Moment(rollout, after)
                (solved if truth[rollout.key][after + AHEAD - 1] >= threshold else open_).append(moment)
    rng, chosen = generator(seed, "known frames"), list[_Moment]()
    for moments in (solved, open_):
        places = rng.permutation(len(moments))[: MOST // 2]
        chosen += [moments[place] for place in sorted(places.tolist())]
    return chosen


def _imagine(
    moments: Sequence[_Moment],
    starts: Mapping[str, Start],
    truth: Mapping[tuple[str, str], Sequence[float]],
    task: PolicyTask,
    stepper: Stepper,
) -> list[KnownFrame]:
    rows = dict[int, _Row]()
    try:
        for row, moment in enumerate(moments):
            start = starts[moment.rollout.start]
            image = play_film(task.reference(1), start, moment.rollout.actions[: moment.after], moment.rollout.seed)[-1]
            shown = stepper.start(row, Start(start.id, image, start.instruction), moment.rollout.seed)
            if isinstance(shown, RowError):
                continue
            actions = np.array(moment.rollout.actions[moment.after :])
            rows[row] = _Row(
                actions, task.scorer.begin(start, shown), truth[moment.rollout.key][moment.after + AHEAD - 1]
            )
        while left := {row: at for row, at in rows.items() if at.made < AHEAD}:
            now = {row: at.next_actions(stepper.frames_in_next_step(row)) for row, at in left.items()}
            for row, frames in stepper.step(now).items():
                rows[row].see(frames)
    finally:
        for row in rows:
            stepper.end(row)
    return [KnownFrame(at.said, at.true) for at in rows.values() if np.isfinite(at.said)]


@dataclass
class _Row:
    """A moment under way. actions [n, dim], n >= AHEAD; made: frames so far; said: the score of frame AHEAD."""

    actions: Actions
    track: ScoreTrack
    true: float
    made: int = 0
    said: float = float("nan")

    def next_actions(self, count: int) -> Actions:
        """For a step that may take more actions than are left; what it makes of the last ones is not looked at."""
        left = self.actions[self.made : self.made + count]
        return np.vstack([left, np.repeat(left[-1:], count - len(left), axis=0)])

    def see(self, frames: Frames | RowError) -> None:
        if isinstance(frames, RowError):
            self.made = AHEAD
            return
        self.said = float(self.track.score(frames[: AHEAD - self.made])[-1])
        self.made += len(frames)
