"""`eval_info.json` as LeRobot's evaluation writes it, so that its readers can read ours. Keys of ours stand beside."""

from collections.abc import Sequence
from statistics import fmean
from typing import Any

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.results.plain import plain
from lingbot_ros.evaluate.rollouts.record import Rollout
from lingbot_ros.evaluate.statistics.rates import wilson


def eval_info(
    rollouts: Sequence[Rollout], *, task: str, threshold: float, horizon: int | None = None, eval_s: float
) -> dict[str, Any]:
    """One policy's rollouts in JSON's types. The reward of a frame is its score; `pc_success` is in percent.

    Only rollouts with a verdict are episodes; `n_invalid` counts the others. Raises InputError for several policies.
    """
    if len({rollout.policy for rollout in rollouts}) != 1:
        raise InputError("rollouts", "several policies or none", "give the rollouts of one policy")
    decided = [rollout for rollout in rollouts if rollout.success(threshold, horizon) is not None]
    episodes = [_episode(index, rollout, threshold, horizon) for index, rollout in enumerate(decided)]
    aggregated = _aggregate(episodes, eval_s) | {"n_invalid": len(rollouts) - len(decided)}
    metrics = {
        "sum_rewards": [episode["sum_reward"] for episode in episodes],
        "max_rewards": [episode["max_reward"] for episode in episodes],
        "successes": [episode["success"] for episode in episodes],
        "video_paths": [],
    }
    return {
        "policy": rollouts[0].policy,
        "success_threshold": threshold,
        "per_episode": episodes,
        "per_task": [{"task_group": task, "task_id": 0, "metrics": metrics}],
        "per_group": {task: dict(aggregated)},
        "overall": aggregated,
    }


def _episode(index: int, rollout: Rollout, threshold: float, horizon: int | None) -> dict[str, Any]:
    scores = [score for score in plain(rollout.scores[:horizon]) if score is not None]
    return {
        "episode_ix": index,
        "sum_reward": sum(scores),
        "max_reward": max(scores),
        "success": bool(rollout.success(threshold, horizon)),
        "seed": rollout.seed,
        "start": rollout.start,
        "seen_in_training": rollout.seen_in_training,
    }


def _aggregate(episodes: Sequence[dict[str, Any]], eval_s: float) -> dict[str, Any]:
    count, successes = len(episodes), sum(episode["success"] for episode in episodes)
    interval = wilson(successes, count) if count else None
    return {
        "avg_sum_reward": fmean(episode["sum_reward"] for episode in episodes) if count else None,
        "avg_max_reward": fmean(episode["max_reward"] for episode in episodes) if count else None,
        "pc_success": 100 * successes / count if count else None,
        "pc_success_ci95": None if interval is None else [100 * interval.low, 100 * interval.high],
        "n_success": successes,
        "n_episodes": count,
        "eval_s": eval_s,
        "eval_ep_s": eval_s / count if count else None,
        "video_paths": [],
    }
