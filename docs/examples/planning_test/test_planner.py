"""Tests of a planner of your own, against the imagined simulator and against the planner of this package.

Run them with `./lingbot python -m pytest docs/examples/planning_test`, or with pytest in any ROS 2 workspace.
"""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from planner import Planner
from simulator import PATIENCE_S, Simulator

from lingbot_ros.planning.futures import Futures
from lingbot_ros.planning.goal import GoalRequest
from lingbot_ros.planning.solvers import SolverSettings, solve
from lingbot_ros.tasks.pusht.planning.pose_cost import read_poses
from lingbot_ros.tasks.registry import find_task
from lingbot_ros.world import World

GOALS = ((100.0, 300.0), (60.0, 100.0), (200.0, 420.0))
STEPS = 12
MARGIN = 10.0
"""How much worse than ours a plan may be, units; the table is 512 wide."""


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """A simulator of its own on a ROS domain of its own, paused at the first image."""
    os.environ["ROS_DOMAIN_ID"] = str(random.randrange(60, 101))
    os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    process = subprocess.Popen([sys.executable, "-m", "lingbot_ros.cli.main", "sim"])
    simulator = Simulator()
    try:
        simulator.begin("pusht")
        yield simulator
    finally:
        simulator.close()
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE_S)


def pusher(image: np.ndarray) -> np.ndarray:
    """Where the blue pusher is, in the units of the actions; (0, 0) is the upper left corner."""
    red, green, blue = np.moveaxis(image.astype(int), -1, 0)
    rows, columns = np.nonzero((blue > red + 60) & (blue > green + 50))
    assert len(rows), "no pusher in the image"
    return (np.array([columns.mean(), rows.mean()]) + 0.5) * 512 / 96


def test_the_plan_brings_the_pusher_to_the_goal(simulator: Simulator) -> None:
    """Images are predicted, so that the tolerance is a few pixels, not a millimetre."""
    start, goal = pusher(simulator.images[-1]), np.array(GOALS[0])
    for position in Planner().plan(start, goal, STEPS):
        simulator.act(position)
    for _ in range(2):
        simulator.act(goal)
    assert np.abs(pusher(simulator.images[-1]) - goal).max() < 25


@pytest.fixture(scope="module")
def world() -> World:
    """The same model in Python, without ROS."""
    return World.load("pusht-lasting", threads=1)


@pytest.mark.parametrize("goal", GOALS)
def test_the_plan_is_about_as_good_as_ours(world: World, goal: tuple[float, float]) -> None:
    """Both plans are judged by what the same world imagines of them."""
    image = world.seed_image()
    assert image is not None
    session, seen = world.start(image), read_poses(image, "image")
    wanted = GoalRequest("pose", pose=np.array([*goal, *seen.block]))
    problem = find_task("pusht").goal(world, wanted).approach(session, image).problem(STEPS)
    ours = solve(problem, SolverSettings(samples=64, iterations=4), seed=0)
    futures: Futures = problem.rollouts.roll(Planner().plan(seen.pusher, np.array(goal), STEPS)[None])
    theirs = float(problem.cost(futures)[0])
    assert theirs < ours.cost + MARGIN, f"your plan misses by {theirs:.0f} units, ours by {ours.cost:.0f}"
