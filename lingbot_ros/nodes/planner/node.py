"""The lifecycle node `planner`: which actions lead to the goal, by what a world model imagines of them?"""

import threading
from collections.abc import Callable, Sequence
from typing import Any

from rcl_interfaces.msg import SetParametersResult
from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter

from lingbot_ros.compat import feature_line
from lingbot_ros.errors import ErrorCode, LingbotError
from lingbot_ros.nodes.declared import changed_values, checked, declare, values_of
from lingbot_ros.nodes.planner import parameters
from lingbot_ros.nodes.planner.camera import Camera
from lingbot_ros.nodes.planner.context import PlannerContext
from lingbot_ros.nodes.planner.plan_action import PlanServer
from lingbot_ros.nodes.planner.starts import Starts
from lingbot_ros.nodes.reporting_node import ReportingNode, destroy_all
from lingbot_ros.nodes.transitions import reported


class PlannerNode(ReportingNode):
    """Configure loads the model; only an active node plans; cleanup frees all."""

    def __init__(self, name: str = "planner", **kwargs: Any) -> None:
        self._running: PlannerContext | None = None
        super().__init__(name, **kwargs)
        declare(self, parameters.PARAMETERS)
        self.add_on_set_parameters_callback(self._check_parameters)
        self._made: list[Callable[[], object]] = []
        self._releasing = threading.RLock()

    @reported
    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        config = parameters.config_of(values_of(self, parameters.PARAMETERS))
        self.get_logger().info(feature_line())
        if self.executor is None:
            raise LingbotError("the node is on no executor; add it to one before it is configured", ErrorCode.INTERNAL)
        try:
            running = self._running = PlannerContext(self, config)
            camera = Camera(running)
            self._made.append(camera.destroy)
            starts = Starts(running, camera)
            self._made.append(starts.close)
            self._made.append(PlanServer(running, self.executor, camera, starts).destroy)
        except BaseException:
            self.stop()
            raise
        card = running.world.card
        self.get_logger().info(f"{card.name} ready to plan in; task {card.task or 'none'}")
        return TransitionCallbackReturn.SUCCESS

    @reported
    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        result = super().on_activate(state)
        self._require_running().active = True
        return result

    @reported
    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        running = self._require_running()
        running.active = False
        # A robot that is being followed gets its last action while the publisher still is active.
        running.planning.submit(lambda: None).result()
        return super().on_deactivate(state)

    def stop(self) -> None:
        if self._running is not None:
            self._running.active = False
            self._running.closing = True
        with self._releasing:  # a signal may come in the middle of a cleanup
            if self._running is not None:
                self._running.close()
            destroy_all(self, self._made)
            self._running = None

    def _require_running(self) -> PlannerContext:
        if self._running is None:
            raise LingbotError("the node is not configured", ErrorCode.NOT_ACTIVE)
        return self._running

    def _check_parameters(self, wanted: Sequence[Parameter]) -> SetParametersResult:
        if self._running is not None and changed_values(wanted, parameters.PARAMETERS):
            return SetParametersResult(successful=False, reason="read at configure: clean up the node first")
        return checked(self, wanted, parameters.PARAMETERS, parameters.config_of)
