"""A planning test against the imagined simulator, with nothing but the standard simulator interfaces.

Run it with `./lingbot python -m pytest docs/examples/test_planning.py`, or with pytest in any ROS 2 workspace.
"""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import Image
from simulation_interfaces.msg import Result, SimulationState
from simulation_interfaces.srv import LoadWorld, ResetSimulation, SetSimulationState, StepSimulation

from lingbot_msgs.msg import RobotAction

PATIENCE_S = 120.0


class Planner:
    """The system under test: here, a straight line of pusher positions."""

    def plan(self, start: tuple[float, float], goal: tuple[float, float], steps: int) -> np.ndarray:
        """Positions [steps, 2] in the units of the model's actions."""
        return np.linspace(start, goal, steps + 1)[1:]


class Simulator:
    """Calls the simulator, and keeps the images that it publishes."""

    def __init__(self) -> None:
        rclpy.init()
        self.node = Node("planning_test")
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(self.node)
        self.pictures: list[np.ndarray] = []
        self.node.create_subscription(Image, "image_raw", self._see, 10)
        self.actions = self.node.create_publisher(RobotAction, "action", 100)

    def call(self, kind: Any, name: str, request: Any) -> Any:
        """One service call; its result must be OK."""
        client = self.node.create_client(kind, name)
        assert client.wait_for_service(PATIENCE_S), f"{name} did not appear"
        pending = client.call_async(request)
        self.until(pending.done)
        assert pending.result().result.result == Result.RESULT_OK, pending.result().result.error_message
        return pending.result()

    def until(self, condition: Callable[[], object]) -> None:
        """Spin until the condition holds."""
        end = self.node.get_clock().now().nanoseconds + PATIENCE_S * 1e9
        while not condition():
            assert self.node.get_clock().now().nanoseconds < end, "what was waited for did not happen"
            self.executor.spin_once(0.1)

    def act(self, position: np.ndarray) -> None:
        """Send one action and make one step; returns when its image has come."""
        seen = len(self.pictures)
        self.actions.publish(RobotAction(values=position.tolist()))
        # The action and the step travel on different topics, in any order: give the first a head start.
        self.actions.wait_for_all_acked(rclpy.duration.Duration(seconds=PATIENCE_S))
        self.call(StepSimulation, "step_simulation", StepSimulation.Request(steps=1))
        self.until(lambda: len(self.pictures) > seen)

    def close(self) -> None:
        self.executor.shutdown()
        self.node.destroy_node()
        rclpy.try_shutdown()

    def _see(self, image: Image) -> None:
        self.pictures.append(np.frombuffer(image.data, np.uint8).reshape(image.height, image.width, 3))


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """A simulator of its own on a ROS domain of its own, paused at the first image."""
    os.environ["ROS_DOMAIN_ID"] = str(random.randrange(60, 101))
    os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    process = subprocess.Popen([sys.executable, "-m", "lingbot_ros.cli.main", "sim"])
    simulator = Simulator()
    try:
        simulator.call(LoadWorld, "load_world", LoadWorld.Request(uri="pusht"))
        paused = SimulationState(state=SimulationState.STATE_PAUSED)
        simulator.call(SetSimulationState, "set_simulation_state", SetSimulationState.Request(state=paused))
        simulator.call(ResetSimulation, "reset_simulation", ResetSimulation.Request())
        simulator.until(lambda: simulator.actions.get_subscription_count() and simulator.pictures)
        yield simulator
    finally:
        simulator.close()
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE_S)


def pusher(picture: np.ndarray) -> np.ndarray:
    """Where the blue pusher is, in the units of the actions; (0, 0) is the upper left corner."""
    red, green, blue = np.moveaxis(picture.astype(int), -1, 0)
    rows, columns = np.nonzero((blue > red + 60) & (blue > green + 50))
    assert len(rows), "no pusher in the image"
    return (np.array([columns.mean(), rows.mean()]) + 0.5) * 512 / 96


def test_the_plan_brings_the_pusher_to_the_goal(simulator: Simulator) -> None:
    """Images are predicted, so that the tolerance is a few pixels, not a millimetre."""
    goal = (100.0, 300.0)
    for position in Planner().plan(start=(155.0, 169.0), goal=goal, steps=8):
        simulator.act(position)
    for _ in range(2):
        simulator.act(np.array(goal))
    assert np.abs(pusher(simulator.pictures[-1]) - goal).max() < 25
