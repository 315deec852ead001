"""`eval_info.json` as LeRobot's evaluation writes it, so that its readers can read ours. Keys of ours stand beside."""

from collections.abc import Sequence
from statistics import fmean
from typing import Any

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.results.evaluation import seen_in_training
from lingbot_ros.evaluate.results.plain import plain
from lingbot_ros.evaluate.rollouts.record import Rollout
from lingbot_ros.evaluate.statistics.rates import wilson


def eval_info(
    rollouts: Sequence[Rollout],
    *,
    task: str,
    threshold: float,
    horizon: int | None = None,
    eval_s: float,
    drawn: str = "",
) -> dict[str, Any]:
    """The rollouts of one policy or of several in JSON's types. The reward of a frame is its score; `pc_success` is in
    percent. eval_s: seconds that all of them took. drawn: how scenes were drawn, in words.

    What LeRobot calls a group of tasks is a policy here. Only rollouts with a verdict are episodes; `n_invalid` counts
    the others. Raises InputError for no rollouts.
    """
    names = list(dict.fromkeys(rollout.policy for rollout in rollouts))
    if not names:
        raise InputError("rollouts", "none", "give those of one policy or more")
    by_policy = {name: [rollout for rollout in rollouts if rollout.policy == name] for name in names}
    episodes = {name: _episodes(mine, threshold, horizon) for name, mine in by_policy.items()}
    share = eval_s / len(names)
    return {
        "task": task,
        "success_threshold": threshold,
        "how_starts_were_drawn": drawn,
        "per_episode": [{"policy": name, **episode} for name in names for episode in episodes[name]],
        "per_task": [{"task_group": name, "task_id": 0, "metrics": _metrics(episodes[name])} for name in names],
        "per_group": {name: _aggregate(episodes[name], by_policy[name], share) for name in names},
        "overall": _aggregate([one for name in names for one in episodes[name]], rollouts, eval_s),
    }


def _episodes(rollouts: Sequence[Rollout], threshold: float, horizon: int | None) -> list[dict[str, Any]]:
    decided = [rollout for rollout in rollouts if rollout.success(threshold, horizon) is not None]
    return [_episode(index, rollout, threshold, horizon) for index, rollout in enumerate(decided)]


def _metrics(episodes: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "sum_rewards": [episode["sum_reward"] for episode in episodes],
        "max_rewards": [episode["max_reward"] for episode in episodes],
        "successes": [episode["success"] for episode in episodes],
        "video_paths": [],
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


def _aggregate(episodes: Sequence[dict[str, Any]], rollouts: Sequence[Rollout], eval_s: float) -> dict[str, Any]:
    count, successes = len(episodes), sum(episode["success"] for episode in episodes)
    interval = wilson(successes, count) if count else None
    return {
        "avg_sum_reward": fmean(episode["sum_reward"] for episode in episodes) if count else None,
        "avg_max_reward": fmean(episode["max_reward"] for episode in episodes) if count else None,
        "pc_success": 100 * successes / count if count else None,
        "pc_success_ci95": None if interval is None else [100 * interval.low, 100 * interval.high],
        "n_success": successes,
        "n_episodes": count,
        "n_trials": len(rollouts),
        "n_invalid": len(rollouts) - count,
        "seen_in_training": seen_in_training(rollouts),
        "eval_s": eval_s,
        "eval_ep_s": eval_s / count if count else None,
        "video_paths": [],
    }
