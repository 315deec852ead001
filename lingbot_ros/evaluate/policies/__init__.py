"""The policies that an evaluation drives worlds with: one contract, and where policies come from."""

from lingbot_ros.evaluate.policies.contract import Actions, Observation, Policy, PolicyFailure, RowPolicies, Start
from lingbot_ros.evaluate.policies.each_row import EachRow

__all__ = ["Actions", "EachRow", "Observation", "Policy", "PolicyFailure", "RowPolicies", "Start"]
