"""Closed-loop rollouts of many policies from many starts, in anything that can be stepped."""

from lingbot_ros.evaluate.rollouts.job import Job
from lingbot_ros.evaluate.rollouts.record import Ending, Rollout
from lingbot_ros.evaluate.rollouts.run import Progress, run_rollouts
from lingbot_ros.evaluate.rollouts.scorer import Scorer, ScoreTrack
from lingbot_ros.evaluate.rollouts.stepper import RowError, Stepper
from lingbot_ros.evaluate.rollouts.store import RolloutStore

__all__ = [
    "Ending",
    "Job",
    "Progress",
    "Rollout",
    "RolloutStore",
    "RowError",
    "ScoreTrack",
    "Scorer",
    "Stepper",
    "run_rollouts",
]
