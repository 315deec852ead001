"""One closed loop: look, plan, execute, look again, until the goal is reached or the budget is used up."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from lingbot_ros.planning.futures import Floats, Frames
from lingbot_ros.planning.goal import Approach, GoalRequest
from lingbot_ros.planning.imagined import imagine
from lingbot_ros.planning.plan import Plan
from lingbot_ros.planning.problem import Problem
from lingbot_ros.planning.receding import Horizon
from lingbot_ros.planning.solvers import SolverSettings, solve
from lingbot_ros.tasks.pusht.planning.goal import LayerApproach, knots, read_goal
from lingbot_ros.tasks.pusht.planning.goals import Goal, reached
from lingbot_ros.tasks.pusht.planning.pose_cost import PoseGoal, Poses, distances
from lingbot_ros.tasks.pusht.planning.true_rollouts import TrueRollouts
from lingbot_ros.tasks.pusht.simulator.simulator import PushTSimulator
from lingbot_ros.world.layer_session import LayerSession
from lingbot_ros.world.world import World


class Eyes(Protocol):
    """What the planner believes, and the futures that follow from it."""

    def look(self, image: Frames, executed: Floats) -> None:
        """A new image of the simulator, after actions [n, 2]."""
        ...

    def problem(self, frames: int) -> Problem:
        """The planning problem from here, over so many frames."""
        ...

    @property
    def goal(self) -> Poses:
        """What is to be reached."""
        ...

    def imagine(self, actions: Floats) -> Frames | None:
        """The images of a plan [T, H, W, 3], or None where nothing is rendered."""
        ...


class WorldEyes:
    """A world model that sees images only. true_goal: goal and first pose of the block by their true values instead."""

    def __init__(self, world: World, goal: Goal, *, true_goal: bool, trust_penalty: float) -> None:
        self._session = world.start(goal.image)
        pose = np.concatenate([goal.state.pusher, goal.state.block])
        if true_goal:
            request = GoalRequest("pose", pose=pose, trust_penalty=trust_penalty)
        else:
            request = GoalRequest("image", image=goal.goal_image, trust_penalty=trust_penalty)
        read = read_goal(world, request)
        self.goal = read.poses
        if true_goal and isinstance(self._session, LayerSession):
            self._approach: Approach = LayerApproach(read, self._session, goal.start.block)
        else:
            self._approach = read.approach(self._session, goal.image)

    def look(self, image: Frames, executed: Floats) -> None:
        """The world moves along, so that it knows the velocity, and corrects itself by the last image."""
        for action in executed[:-1]:
            self._session.step(action[None])
        self._session.observe(image[None], executed[-1:])
        self._approach.look(image)

    def problem(self, frames: int) -> Problem:
        return self._approach.problem(frames)

    def imagine(self, actions: Floats) -> Frames:
        return imagine(self._session, actions)

    def close(self) -> None:
        """Free the session."""
        self._session.close()


class TrueEyes:
    """The simulator knows everything: the ceiling."""

    def __init__(self, simulator: PushTSimulator, goal: Goal) -> None:
        self._simulator, self._model = simulator, PushTSimulator()
        self.goal = Poses(goal.state.pusher, goal.state.block)
        self._rollouts = TrueRollouts(self._model, goal.start)

    def look(self, image: Frames, executed: Floats) -> None:
        self._rollouts = TrueRollouts(self._model, self._simulator.state)

    def problem(self, frames: int) -> Problem:
        path = knots(frames, self._simulator.state.pusher, self.goal.pusher)
        return Problem(path, self._rollouts, PoseGoal(self.goal, self._rollouts.frame))

    def imagine(self, actions: Floats) -> None:
        return None

    def close(self) -> None:
        """Nothing is held."""


@dataclass
class Trial:
    """What happened to one goal. imagined: images of the plans, one per executed frame; real: the simulator's."""

    goal: str
    success: bool = False
    steps: int = 0
    first_plan: bool = False
    plans: list[Plan] = field(default_factory=list)
    real_costs: list[float] = field(default_factory=list)
    real: list[Frames] = field(default_factory=list)
    imagined: list[Frames] = field(default_factory=list)


def run_trial(
    simulator: PushTSimulator, goal: Goal, eyes: Eyes, horizon: Horizon, settings: SolverSettings, seed: int,
    *, film: bool = False,
) -> Trial:  # fmt: skip
    """Success counts when the goal is reached at any step of the budget, by the simulator's true state."""
    simulator.reset(0)
    simulator.set_state(goal.start)
    trial, warm = Trial(goal.name), None
    for number, (length, execute, continues) in enumerate(horizon.plans()):
        problem = eyes.problem(length)
        plan = solve(problem, settings, seed + number, warm if continues else None)
        trial.plans.append(plan)
        images = eyes.imagine(plan.actions[:execute]) if film else None
        for step, action in enumerate(plan.actions[:execute]):
            simulator.step(action)
            trial.steps += 1
            if film:
                trial.real.append(simulator.render())
                trial.imagined.append(trial.real[-1] if images is None else images[step])
            if reached(simulator.state, goal.state):
                trial.success, trial.first_plan = True, trial.steps <= horizon.frames
                return trial
        trial.real_costs.append(_real_cost(simulator, eyes.goal))
        warm = problem.parametrisation.remainder(plan.parameters, execute)
        eyes.look(simulator.render(), plan.actions[:execute])
    return trial


def _real_cost(simulator: PushTSimulator, goal: Poses) -> float:
    state = simulator.state
    return float(distances(state.pusher[None], state.block[None], goal)[0])


def follow(simulator: PushTSimulator, goal: Goal, actions: Iterator[Floats], budget: int) -> Trial:
    """A baseline: given actions instead of plans."""
    simulator.reset(0)
    simulator.set_state(goal.start)
    trial = Trial(goal.name)
    for action in actions:
        simulator.step(action)
        trial.steps += 1
        if reached(simulator.state, goal.state):
            return replace(trial, success=True)
        if trial.steps == budget:
            break
    return trial
