"""Whether the scorer reads real images rightly, where no reference arm was played: some actions are played again."""

from collections.abc import Mapping, Sequence

import numpy as np

from lingbot_ros.errors import ErrorCode, LingbotError
from lingbot_ros.evaluate.policies.contract import Start
from lingbot_ros.evaluate.policy_task import PolicyTask
from lingbot_ros.evaluate.rollouts.record import Ending, Rollout
from lingbot_ros.evaluate.rollouts.stepper import RowError

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
    world = task.reference(1)
    first = world.start(0, start, rollout.seed)
    if isinstance(first, RowError):
        raise _failed(first)
    track, left, scores = task.scorer.begin(start, first), np.array(rollout.actions), list[float]()
    while len(left):
        count = world.frames_in_next_step(0)
        # A step takes whole chunks; the last action fills the last one.
        chunk = np.vstack([left, np.repeat(left[-1:], count, axis=0)])[:count]
        shown = world.step({0: chunk})[0]
        if isinstance(shown, RowError):
            raise _failed(shown)
        scores += [float(score) for score in track.score(shown)[: len(left)]]
        left = left[count:]
    world.end(0)
    return Rollout(rollout.policy, start.id, "replayed", rollout.seed, Ending.HORIZON, tuple(scores), rollout.actions)


def _failed(error: RowError) -> LingbotError:
    return LingbotError(f"scorer check: the reference failed ({error.reason})", ErrorCode.INTERNAL)
