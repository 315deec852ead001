"""One goal of `~/plan` that does not act: search, keep what can be believed, and say what stopped it."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lingbot_msgs.action import Plan
from lingbot_msgs.msg import RobotAction
from lingbot_ros.nodes.planner.context import PlannerContext
from lingbot_ros.nodes.planner.request import solver_settings
from lingbot_ros.nodes.planner.starts import Start
from lingbot_ros.planning.futures import Floats
from lingbot_ros.planning.goal import Goal
from lingbot_ros.planning.imagined import trusted_frames
from lingbot_ros.planning.plan import Progress
from lingbot_ros.planning.problem import Problem
from lingbot_ros.planning.receding import trusted_horizon
from lingbot_ros.planning.solvers import solve

UNREACHABLE = "no candidate comes nearer to the goal than staying: it may be out of reach within the horizon"
UNTRUSTED = "the model cannot be trusted from here on: show it a real image, or start again"

_CHECK_S = 0.05
"""Of a deadline, for looking how far the plan found can be believed."""


@dataclass(frozen=True)
class Searcher:
    """running: whose world it is. on_progress: hears of each iteration with the actions [T, A] of the best candidate;
    False ends the search.
    """

    running: PlannerContext
    on_progress: Callable[[Progress, Floats], bool]

    def search(self, message: Plan.Goal, goal: Goal, start: Start, began_s: float, result: Plan.Result) -> None:
        """Fill the result. began_s: when the goal came, monotonic. Raises InputError for fields out of range."""
        config, world = self.running.config, self.running.world
        wanted = message.horizon or config.horizon
        frames = trusted_horizon(wanted, world.info.max_horizon, start.session.frames_since_real)
        approach = goal.approach(start.session, start.image)
        if not frames:
            self._stay(result, approach.rest, UNTRUSTED)
            return
        settings = solver_settings(message, config, time.monotonic() - began_s + _CHECK_S)
        problem = approach.problem(frames)

        def heard(progress: Progress) -> bool:
            return self.on_progress(progress, problem.parametrisation.decode(progress.best[None])[0])

        plan = solve(problem, settings, message.seed, on_progress=heard)
        believed = trusted_frames(world, start.session, plan.actions)
        result.cost, result.evaluated, result.model_time = plan.cost, plan.evaluated, plan.model_s
        result.deadline_missed = plan.deadline_missed
        result.trust_limited, result.trusted_frames = believed < wanted, believed
        if not believed:
            self._stay(result, approach.rest, UNTRUSTED)
        elif approach.rest is not None and plan.cost >= cost_of_staying(problem, approach.rest, frames):
            self._stay(result, approach.rest, UNREACHABLE)
        else:
            result.actions = [RobotAction(values=values.tolist()) for values in plan.actions[:believed]]

    @staticmethod
    def _stay(result: Plan.Result, rest: Floats | None, reason: str) -> None:
        """The safe answer: one action that leaves the robot where it is, or none where nobody knows one."""
        result.reason = reason
        result.actions = [] if rest is None else [RobotAction(values=rest.tolist())]


def cost_of_staying(problem: Problem, rest: Floats, frames: int) -> float:
    """What the world predicts for a robot that stays where it is."""
    return float(problem.cost(problem.rollouts.roll(np.tile(rest, (1, frames, 1))))[0])
