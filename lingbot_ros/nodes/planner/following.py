"""Following: act on a plan, observe what the robot's camera sees of it, plan again, until the goal is reached."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lingbot_msgs.action import Plan
from lingbot_ros.checkpoints.trust import LEAST_TRUST
from lingbot_ros.errors import ErrorCode, InputError, LingbotError
from lingbot_ros.nodes.planner.camera import Camera
from lingbot_ros.nodes.planner.context import PlannerContext
from lingbot_ros.nodes.planner.request import solver_settings
from lingbot_ros.nodes.planner.search import UNTRUSTED, cost_of_staying
from lingbot_ros.nodes.planner.starts import Start
from lingbot_ros.planning.futures import Floats
from lingbot_ros.planning.goal import Goal
from lingbot_ros.planning.plan import Plan as Found
from lingbot_ros.planning.plan import Progress
from lingbot_ros.planning.problem import Problem
from lingbot_ros.planning.receding import Horizon, trusted_horizon
from lingbot_ros.planning.solvers import solve

TIMEOUT = "timeout: the goal was not reached in time"
DISTRUST = "trust is lost: the model does not understand what the robot's camera shows"

_FOR_EVER = 2**62
_LEAST_GAIN = 0.01
"""A horizon that lowers the cost by a smaller share has come no nearer."""


@dataclass(frozen=True)
class Ending:
    """Why following ended. code NONE: as it should; the reason is then empty or `TIMEOUT`."""

    reason: str
    code: ErrorCode = ErrorCode.NONE
    reached: bool = False


@dataclass(frozen=True)
class Ties:
    """What connects a follower with the robot and the client.

    publish: sends an action to the robot. why_stop: a reason from outside, empty = none. on_progress: hears of each
    iteration with its best actions [T, A]; False ends it. on_frame: hears of each frame with the session's trust.
    """

    camera: Camera
    publish: Callable[[Floats], None]
    why_stop: Callable[[], str]
    on_progress: Callable[[Progress, Floats], bool]
    on_frame: Callable[[float], None]


class Follower:
    """Acts at the model's rate, on the thread that owns the world. While it plans, the robot holds its last action."""

    def __init__(self, running: PlannerContext, message: Plan.Goal, goal: Goal, start: Start, ties: Ties) -> None:
        """Raises InputError for fields out of range and an image that cannot be read, LingbotError (UNSUPPORTED) for a
        model of several frames per chunk, and where no action is known that leaves the robot where it is.
        """
        self._running, self._message, self._goal, self._ties = running, message, goal, ties
        self._session, self._approach = start.session, goal.approach(start.session, start.image)
        if self._session.frames_in_next_chunk != 1:
            raise LingbotError("follow: a model of several frames per chunk cannot follow", ErrorCode.UNSUPPORTED)
        self._rest()
        solver_settings(message, running.config, 0.0)
        now_s = time.monotonic()
        self._until_s = now_s + message.timeout if message.timeout else np.inf
        self._silent_s = 0.0
        self._doubted, self._lowest, self._failed = 0, np.inf, 0

    def follow(self, result: Plan.Result) -> Ending:
        """Until it ends; the last action then leaves the robot where it is, whatever ended it."""
        try:
            return self._follow(result)
        finally:
            self._ties.publish(self._rest())

    def _follow(self, result: Plan.Result) -> Ending:
        config, warm = self._running.config, None
        horizon = self._message.horizon or config.horizon
        plans = Horizon(horizon, min(config.execute, horizon), _FOR_EVER).plans()
        for number, (length, execute, continues) in enumerate(plans):
            frames = trusted_horizon(length, self._running.world.info.max_horizon, self._session.frames_since_real)
            if not frames:
                return Ending(UNTRUSTED, ErrorCode.UNSUPPORTED)
            problem = self._approach.problem(frames)
            if not continues and self._is_stuck(problem, frames):
                said = f"no nearer to the goal in {config.attempts} horizons: it may be out of reach"
                return Ending(said, ErrorCode.TIMED_OUT)
            plan = self._plan(problem, number, warm if continues and frames == length else None, result)
            warm = problem.parametrisation.remainder(plan.parameters, execute)
            for action in plan.actions[:execute]:
                ended = self._act(action)
                if ended is not None:
                    return ended
        raise AssertionError("the horizon has no end")

    def _is_stuck(self, problem: Problem, frames: int) -> bool:
        """Called as a horizon begins: whether too many of them brought the robot no nearer to the goal."""
        present = cost_of_staying(problem, self._rest(), frames)
        self._failed = 0 if present < (1 - _LEAST_GAIN) * self._lowest else self._failed + 1
        self._lowest = min(self._lowest, present)
        return self._failed >= self._running.config.attempts

    def _plan(self, problem: Problem, number: int, warm: Floats | None, result: Plan.Result) -> Found:
        def heard(progress: Progress) -> bool:
            return self._ties.on_progress(progress, problem.parametrisation.decode(progress.best[None])[0])

        settings = solver_settings(self._message, self._running.config, 0.0)
        plan = solve(problem, settings, self._message.seed + number, warm, on_progress=heard)
        result.cost, result.evaluated = plan.cost, result.evaluated + plan.evaluated
        result.model_time += plan.model_s
        result.deadline_missed = result.deadline_missed or plan.deadline_missed
        return plan

    def _act(self, action: Floats) -> Ending | None:
        """One frame: send the action, and see what came of it."""
        if reason := self._ties.why_stop():
            return Ending(reason, ErrorCode.CANCELED)
        if time.monotonic() > self._until_s:
            return Ending(TIMEOUT)
        before, period_s = self._ties.camera.newest.number, 1.0 / self._running.world.info.fps
        self._ties.publish(action)
        time.sleep(period_s)
        seen = self._ties.camera.newest
        if seen.number == before:
            return self._without_image(action, period_s)
        self._silent_s = 0.0
        self._session.observe(seen.image[None], action[None])
        self._ties.on_frame(self._session.trust)
        try:
            self._approach.look(seen.image)
            reached = bool(self._goal.reached(seen.image))
        except InputError:  # of an image that shows something else
            return self._doubt()
        if self._session.trust < LEAST_TRUST:
            return self._doubt()
        self._doubted = 0
        return Ending("", reached=True) if reached else None

    def _without_image(self, action: Floats, period_s: float) -> Ending | None:
        """The camera was silent in this frame. Plans do not count: some cameras are released by an action."""
        limit_s = self._running.config.image_timeout_s
        self._silent_s += period_s
        self._session.step(action[None])  # where the robot is held depends on the last action, too
        self._ties.on_frame(self._session.trust)
        if self._silent_s > limit_s:
            return Ending(f"image: none came for {limit_s:g} s", ErrorCode.TIMED_OUT)
        return None

    def _doubt(self) -> Ending | None:
        self._doubted += 1
        lost = self._doubted >= self._running.config.distrust_frames
        return Ending(DISTRUST, ErrorCode.UNSUPPORTED) if lost else None

    def _rest(self) -> Floats:
        rest = self._approach.rest
        if rest is None:
            raise LingbotError("follow: the task of this model knows no safe action to end with", ErrorCode.UNSUPPORTED)
        return rest
