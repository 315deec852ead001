"""The imagined simulator over ROS, by nothing but the standard simulator interfaces."""

from collections.abc import Callable
from typing import Any

import numpy as np
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import Image
from simulation_interfaces.msg import Result, SimulationState
from simulation_interfaces.srv import LoadWorld, ResetSimulation, SetSimulationState, StepSimulation

from lingbot_msgs.msg import RobotAction

PATIENCE_S = 120.0


class Simulator:
    """Calls the simulator, and keeps the images that it publishes."""

    def __init__(self) -> None:
        rclpy.init()
        self.node = Node("planning_test")
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(self.node)
        self.images: list[np.ndarray] = []
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

    def begin(self, world: str) -> None:
        """Load a world, and pause it at its first image."""
        self.call(LoadWorld, "load_world", LoadWorld.Request(uri=world))
        paused = SimulationState(state=SimulationState.STATE_PAUSED)
        self.call(SetSimulationState, "set_simulation_state", SetSimulationState.Request(state=paused))
        self.call(ResetSimulation, "reset_simulation", ResetSimulation.Request())
        self.until(lambda: self.actions.get_subscription_count() and self.images)

    def act(self, position: np.ndarray) -> None:
        """Send one action and make one step; returns when its image has come."""
        seen = len(self.images)
        self.actions.publish(RobotAction(values=position.tolist()))
        # The action and the step travel on different topics, in any order: give the first a head start.
        self.actions.wait_for_all_acked(rclpy.duration.Duration(seconds=PATIENCE_S))
        self.call(StepSimulation, "step_simulation", StepSimulation.Request(steps=1))
        self.until(lambda: len(self.images) > seen)

    def close(self) -> None:
        self.executor.shutdown()
        self.node.destroy_node()
        rclpy.try_shutdown()

    def _see(self, image: Image) -> None:
        self.images.append(np.frombuffer(image.data, np.uint8).reshape(image.height, image.width, 3))
