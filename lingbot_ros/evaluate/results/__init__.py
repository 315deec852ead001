"""What an evaluation found, as records and as files that other programs read."""

from lingbot_ros.evaluate.results.evaluation import SCHEMA, Evaluation, PolicyResult, policy_results
from lingbot_ros.evaluate.results.files import save_evaluation
from lingbot_ros.evaluate.results.lerobot import eval_info

__all__ = ["SCHEMA", "Evaluation", "PolicyResult", "eval_info", "policy_results", "save_evaluation"]
