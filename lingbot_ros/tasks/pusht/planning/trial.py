"""One closed loop: look, plan, execute, look again, until the goal is reached or the budget is used up."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from lingbot_ros.planning.futures import Floats, Frames
from lingbot_ros.planning.parametrisation import Knots
from lingbot_ros.planning.plan import Plan
from lingbot_ros.planning.problem import Problem
from lingbot_ros.planning.receding import Horizon
from lingbot_ros.planning.solvers import SolverSettings, solve
from lingbot_ros.planning.state_rollouts import StateRollouts
from lingbot_ros.tasks.pusht.geometry import ARENA_SIZE, to_units
from lingbot_ros.tasks.pusht.planning.goals import Goal, reached
from lingbot_ros.tasks.pusht.planning.pose_cost import LayerFrame, PoseGoal, Poses, read_poses
from lingbot_ros.tasks.pusht.planning.true_rollouts import TrueRollouts
from lingbot_ros.tasks.pusht.simulator.simulator import IMAGE_SIZE, PushTSimulator
from lingbot_ros.world.layer_session import LayerSession
from lingbot_ros.world.world import World

_KNOT_EVERY = 5
_KNOT_SIGMA, _LAST_SIGMA = 100.0, 30.0
_LOW, _HIGH = np.zeros(2), np.full(2, ARENA_SIZE)


class Eyes(Protocol):
    """What the planner believes, and the futures that follow from it."""

    def look(self, image: Frames, executed: Floats) -> None:
        """A new image of the simulator, after actions [n, 2]."""
        ...

    def problem(self, knots: Knots) -> Problem:
        """The planning problem from here."""
        ...

    @property
    def pusher(self) -> Floats:
        """Where the pusher is believed to be [2], units."""
        ...

    @property
    def goal(self) -> Poses:
        """What is to be reached."""
        ...

    def imagine(self, actions: Floats) -> Frames | None:
        """The images of a plan [T, H, W, 3], or None where nothing is rendered."""
        ...


class WorldEyes:
    """A world of layers that sees images only. true_goal: the goal by its true state instead of its image."""

    def __init__(self, world: World, goal: Goal, *, true_goal: bool) -> None:
        self._session = world.start(goal.image)
        assert isinstance(self._session, LayerSession)
        seen = Poses(goal.start.pusher, goal.start.block) if true_goal else read_poses(goal.image, "image")
        self.goal = Poses(goal.state.pusher, goal.state.block) if true_goal else read_poses(goal.goal_image, "goal")
        self._frame = LayerFrame(self._poses()[1], seen.block, IMAGE_SIZE)

    def look(self, image: Frames, executed: Floats) -> None:
        """The world moves along, so that it knows the velocity, and corrects itself by the last image."""
        for action in executed[:-1]:
            self._session.step(action[None])
        self._session.observe(image[None], executed[-1:])

    def problem(self, knots: Knots) -> Problem:
        return Problem(knots, StateRollouts.of(self._session), PoseGoal(self.goal, self._frame))

    @property
    def pusher(self) -> Floats:
        return to_units(self._poses()[0, :2], IMAGE_SIZE)

    def imagine(self, actions: Floats) -> Frames:
        fork = self._session.fork()
        frames = np.concatenate([fork.step(action[None]) for action in actions])
        fork.close()
        return frames

    def close(self) -> None:
        """Free the session."""
        self._session.close()

    def _poses(self) -> Floats:
        assert isinstance(self._session, LayerSession)
        return np.asarray(self._session.rollout_state.bodies.poses, np.float64)[0]


class TrueEyes:
    """The simulator knows everything: the ceiling."""

    def __init__(self, simulator: PushTSimulator, goal: Goal) -> None:
        self._simulator, self._model = simulator, PushTSimulator()
        self.goal = Poses(goal.state.pusher, goal.state.block)
        self._rollouts = TrueRollouts(self._model, goal.start)

    def look(self, image: Frames, executed: Floats) -> None:
        self._rollouts = TrueRollouts(self._model, self._simulator.state)

    def problem(self, knots: Knots) -> Problem:
        return Problem(knots, self._rollouts, PoseGoal(self.goal, self._rollouts.frame))

    @property
    def pusher(self) -> Floats:
        return self._simulator.state.pusher

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
        knots = Knots(length, _KNOT_EVERY, eyes.pusher, _LOW, _HIGH, eyes.goal.pusher, _KNOT_SIGMA, _LAST_SIGMA)
        fits = continues and warm is not None and len(warm) == len(knots.mean)
        plan = solve(eyes.problem(knots), settings, seed + number, warm if fits else None)
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
        warm = _rest_of(plan, knots, execute)
        eyes.look(simulator.render(), plan.actions[:execute])
    return trial


def _rest_of(plan: Plan, knots: Knots, executed: int) -> Floats | None:
    """The knots that are still ahead; None when the plan is over or the remainder begins between two knots."""
    if executed % knots.spacing or executed >= knots.horizon:
        return None
    return plan.parameters[2 * (executed // knots.spacing) :]


def _real_cost(simulator: PushTSimulator, goal: Poses) -> float:
    state = simulator.state
    turn = (state.block[2] - goal.block[2] + np.pi) % (2 * np.pi) - np.pi
    apart = np.concatenate([state.pusher - goal.pusher, state.block[:2] - goal.block[:2], [57.0 * turn]])
    return float(np.linalg.norm(apart))


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
