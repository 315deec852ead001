"""The record of an evaluation: how often each policy succeeded, how sure that is, and what it agrees with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.rollouts.record import Ending, Rollout
from lingbot_ros.evaluate.seeds import generator
from lingbot_ros.evaluate.statistics.agreement import Agreement
from lingbot_ros.evaluate.statistics.interval import Interval
from lingbot_ros.evaluate.statistics.ranking import rank_policies
from lingbot_ros.evaluate.statistics.rates import clopper_pearson, wilson
from lingbot_ros.evaluate.statistics.resampling import Arms
from lingbot_ros.evaluate.statistics.wrong_action_success import FalseSuccess

SCHEMA = "lingbot.evaluation/1"


@dataclass(frozen=True)
class PolicyResult:
    """One policy at one threshold and horizon: `successes` of `decided` rollouts.

    invalid: rollouts without a verdict, by reason. Rates and intervals are None where nothing was decided. rank: 1 is
    best, ties share the mean rank; None for a policy without a rate.
    """

    policy: str
    successes: int
    decided: int
    invalid: Mapping[str, int]
    rate: float | None
    wilson: Interval | None
    clopper_pearson: Interval | None
    rank: float | None
    rank_interval: Interval | None
    tie_group: int | None
    seen_in_training: bool | None


@dataclass(frozen=True)
class Evaluation:
    """All that is needed to judge an evaluation and to repeat it.

    settings: model, weights, scorer, starts, seed, in JSON's types. agreement: with a reference arm, by the name of the
    row, e.g. "all", "without policies that never succeed". controls: of each, what was imagined.
    """

    settings: Mapping[str, Any]
    threshold: float
    horizon: int
    policies: Sequence[PolicyResult]
    agreement: Mapping[str, Agreement] = field(default_factory=dict)
    controls: Mapping[str, FalseSuccess] = field(default_factory=dict)
    warnings: Sequence[str] = ()


def outcomes(rollouts: Sequence[Rollout], threshold: float, horizon: int | None = None) -> NDArray[np.float64]:
    """[policies, starts] in the order in which they first appear: 1 success, 0 failure, NaN absent or undecided."""
    policies = {name: place for place, name in enumerate(dict.fromkeys(rollout.policy for rollout in rollouts))}
    starts = {name: place for place, name in enumerate(dict.fromkeys(rollout.start for rollout in rollouts))}
    table = np.full((len(policies), len(starts)), np.nan)
    for rollout in rollouts:
        success = rollout.success(threshold, horizon)
        if success is not None:
            table[policies[rollout.policy], starts[rollout.start]] = float(success)
    return table


def arms_of(
    *, imagined: Sequence[Rollout], reference: Sequence[Rollout], threshold: float, horizon: int | None = None
) -> Arms:
    """Both arms of the same policies from the same starts, paired. Raises InputError where the two differ."""
    keys = [{rollout.key: rollout for rollout in arm} for arm in (imagined, reference)]
    if set(keys[0]) != set(keys[1]):
        missing = sorted(set(keys[0]) ^ set(keys[1]))[0]
        raise InputError("rollouts", f"{missing} in one arm only", "play the same policies and starts in both arms")
    ordered = [keys[1][rollout.key] for rollout in imagined]
    return Arms(outcomes(imagined, threshold, horizon), outcomes(ordered, threshold, horizon))


def policy_results(
    rollouts: Sequence[Rollout], threshold: float, horizon: int | None = None, seed: int = 0
) -> list[PolicyResult]:
    """The policies of one arm, in the order in which they first appear."""
    names = list(dict.fromkeys(rollout.policy for rollout in rollouts))
    table = outcomes(rollouts, threshold, horizon)
    rated = np.asarray(np.isfinite(table).any(axis=1))
    ranking = rank_policies(table[rated], generator(seed, "ranking")) if rated.any() else None
    place = np.cumsum(rated) - 1
    found = []
    for index, name in enumerate(names):
        mine = [rollout for rollout in rollouts if rollout.policy == name]
        decided = int(np.isfinite(table[index]).sum())
        successes = int(np.nansum(table[index]))
        at = int(place[index]) if rated[index] and ranking is not None else None
        found.append(
            PolicyResult(
                policy=name,
                successes=successes,
                decided=decided,
                invalid=_invalid(mine),
                rate=successes / decided if decided else None,
                wilson=wilson(successes, decided) if decided else None,
                clopper_pearson=clopper_pearson(successes, decided) if decided else None,
                rank=None if at is None or ranking is None else float(ranking.rank[at]),
                rank_interval=None if at is None or ranking is None else ranking.interval[at],
                tie_group=None if at is None or ranking is None else ranking.tie_group[at],
                seen_in_training=seen_in_training(mine),
            )
        )
    return found


def _invalid(rollouts: Sequence[Rollout]) -> dict[str, int]:
    reasons = [rollout.failure for rollout in rollouts if rollout.ending is Ending.INVALID]
    return {reason: reasons.count(reason) for reason in dict.fromkeys(reasons)}


def seen_in_training(rollouts: Sequence[Rollout]) -> bool | None:
    """Whether any start was seen in training; None unless it is known of all, or of one that it was."""
    said = [rollout.seen_in_training for rollout in rollouts]
    return True if True in said else None if None in said else False
