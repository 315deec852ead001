"""Whether the scorer reads real images rightly, where no reference arm was played: some actions are played again."""

from collections.abc import Mapping, Sequence

import numpy as np

from lingbot_ros.evaluate.policies.contract import Start
from lingbot_ros.evaluate.policy_report.films import play_film
from lingbot_ros.evaluate.policy_task import PolicyTask
from lingbot_ros.evaluate.rollouts.record import Ending, Rollout

MOST = 40
"""Rollouts that are played again, evenly taken from all."""


def real_scores(rollouts: Sequence[Rollout], starts: Mapping[str, Start], task: PolicyTask) -> list[Rollout]:
    """Up to `MOST` of the rollouts as they look in the reference under the same actions, scored by their images."""
    ended = [rollout for rollout in rollouts if rollout.ending is not Ending.INVALID and rollout.actions]
    chosen = (
        [ended[index] for index in sorted({int(at) for at in np.linspace(0, len(ended) - 1, MOST)})] if ended else []
    )
    return [_again(rollout, starts[rollout.start], task) for rollout in chosen]


def _again(rollout: Rollout, start: Start, task: PolicyTask) -> Rollout:
    film = play_film(task.reference(1), start, rollout.actions, rollout.seed)
    scores = [float(score) for score in task.scorer.begin(start, film[0]).score(film[1:])]
    return Rollout(rollout.policy, start.id, "replayed", rollout.seed, Ending.HORIZON, tuple(scores), rollout.actions)
