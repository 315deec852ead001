"""The fields of a goal of `~/plan` -> how to search and what to reach."""

import math
from typing import cast

import numpy as np

from lingbot_msgs.action import Plan
from lingbot_ros.bridge.images import image_to_rgb
from lingbot_ros.errors import InputError
from lingbot_ros.nodes.planner.parameters import PlannerConfig
from lingbot_ros.planning.goal import GoalKind, GoalRequest
from lingbot_ros.planning.solvers import SolverName, SolverSettings

_KINDS: dict[int, GoalKind] = {
    Plan.Goal.GOAL_IMAGE: "image",
    Plan.Goal.GOAL_POSE: "pose",
    Plan.Goal.GOAL_OUTCOME: "outcome",
}


def goal_request(goal: Plan.Goal, config: PlannerConfig) -> GoalRequest:
    """Raises InputError for a kind that there is not, and an image that cannot be decoded."""
    if goal.goal not in _KINDS:
        raise InputError("goal", goal.goal, "use GOAL_IMAGE, GOAL_POSE or GOAL_OUTCOME")
    kind = _KINDS[goal.goal]
    if kind == "image" and not goal.goal_image.data:
        raise InputError("goal_image", "no data", "give an image, or another kind of goal")
    return GoalRequest(
        kind,
        image=image_to_rgb(goal.goal_image) if kind == "image" else None,
        pose=np.array(goal.goal_pose, np.float64) if kind == "pose" else None,
        cost=goal.cost,
        trust_penalty=config.trust_penalty,
    )


def solver_settings(goal: Plan.Goal, config: PlannerConfig, spent_s: float) -> SolverSettings:
    """spent_s: of the deadline, before the search begins. Raises InputError."""
    for field, value in (("deadline", goal.deadline), ("timeout", goal.timeout)):
        if not (math.isfinite(value) and value >= 0):
            raise InputError(field, value, "give 0 or more seconds; 0 = none")
    left_s = max(goal.deadline - spent_s, 1e-3) if goal.deadline else None
    return SolverSettings(
        cast(SolverName, goal.solver or config.solver),  # the settings refuse another
        goal.samples or config.samples,
        goal.iterations or config.iterations,
        deadline_s=left_s,
    )
