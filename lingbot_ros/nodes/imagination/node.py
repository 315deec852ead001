"""The lifecycle node `imagination`: a world model on ROS topics."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.msg import SetParametersResult
from rclpy.exceptions import InvalidHandle
from rclpy.executors import Executor
from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter

from lingbot_msgs.msg import ImaginationStatus
from lingbot_ros.bridge.status_messages import diagnostics_message, status_message
from lingbot_ros.compat import feature_line, have
from lingbot_ros.errors import ErrorCode, LingbotError
from lingbot_ros.nodes import qos
from lingbot_ros.nodes.declared import changed_values, checked, declare, values_of
from lingbot_ros.nodes.executor import run_alone
from lingbot_ros.nodes.imagination import parameters
from lingbot_ros.nodes.imagination.camera_outputs import CameraOutputs
from lingbot_ros.nodes.imagination.context import NodeContext
from lingbot_ros.nodes.imagination.imagine_action import ImagineServer
from lingbot_ros.nodes.imagination.inputs import Inputs
from lingbot_ros.nodes.imagination.names import file_name_of
from lingbot_ros.nodes.imagination.outputs import FrameOutputs
from lingbot_ros.nodes.imagination.recording import Recording
from lingbot_ros.nodes.imagination.session_services import SessionServices
from lingbot_ros.nodes.overrides import QOS_PREFIX, overrides, unknown_parameters
from lingbot_ros.nodes.reporting_node import ReportingNode, destroy_all
from lingbot_ros.nodes.timers import steady_timer
from lingbot_ros.nodes.transitions import reported
from lingbot_ros.runtime.health import read
from lingbot_ros.runtime.served_world import WorldView
from lingbot_ros.runtime.worker import WorkerEvents, WorldWorker

if TYPE_CHECKING:
    from lingbot_ros.nodes.simulator.services import Simulator

# A chunk in work is finished before the worker stops; this is how long that may take.
_STOP_S = 10.0
_STATUS_GAP_S = 0.1
# Discovery of a publisher of /clock takes less.
_CLOCK_S = 3.0


class ImaginationNode(ReportingNode):
    """Configure loads the model, activate lets time pass, deactivate holds it (sessions stay), cleanup frees all."""

    def __init__(self, name: str = "imagination", **kwargs: Any) -> None:
        self._running: NodeContext | None = None
        super().__init__(name, **kwargs)
        declare(self, parameters.PARAMETERS)
        self.add_on_set_parameters_callback(self._check_parameters)
        self._worker: WorldWorker | None = None
        self._made: list[Callable[[], object]] = []
        self._releasing = threading.RLock()
        self._simulator: Simulator | None = None
        self._status_sent_s = 0.0

    @reported
    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        config = parameters.config_of(values_of(self, parameters.PARAMETERS))
        self.get_logger().info(feature_line())
        worker = WorldWorker(
            replace(config.worker, owner=file_name_of(self)),
            WorkerEvents(self._on_frame, self._on_fault, self._on_change),
        )
        try:
            world = worker.load(config.load_timeout_s, abandoned=lambda: not self.context.ok())
            self._running = NodeContext(self, config, worker, world)
            self._create_interfaces(self._running)
        except BaseException:
            self._worker = worker
            self.stop()
            raise
        self._worker = worker
        for sentence in unknown_parameters(self, [name for name in overrides(self) if name.startswith(QOS_PREFIX)]):
            self.get_logger().warning(sentence)
        info, mode = world.info, config.worker.mode.name.lower()
        self.get_logger().info(
            f"{info.name} ready: {info.engine}, loaded in {worker.load_s:.2f} s; {mode}; "
            f"{info.width}x{info.height} at {info.fps:g} fps, {' '.join([info.control.kind, *info.control.names])}; "
            f"licence {world.card.licence_note}"
        )
        return TransitionCallbackReturn.SUCCESS

    @reported
    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        result = super().on_activate(state)
        self._set_active(True)
        if self._simulator is not None:
            try:
                self._simulator.begin()
            except BaseException:
                self._set_active(False)
                super().on_deactivate(state)
                raise
        return result

    @reported
    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._set_active(False)
        if self._simulator is not None:
            self._simulator.let_go()
            run_alone(self.executor, self, self._simulator.end)
        return super().on_deactivate(state)

    def _create_interfaces(self, running: NodeContext) -> None:
        """What is made is noted at once, so that it is freed where a later one cannot be made."""
        executor = self.executor
        if executor is None:
            raise LingbotError("the node is on no executor; add it to one before it is configured", ErrorCode.INTERNAL)
        self._recording = Recording(running, on_change=lambda: self._publish_status(always=True))
        self._made.append(self._recording.destroy)
        self._outputs = FrameOutputs(running, self._recording)
        self._made.append(self._outputs.destroy)
        self._camera_outputs = CameraOutputs(running, self._recording)
        self._made.append(self._camera_outputs.destroy)
        self._status = self.create_lifecycle_publisher(ImaginationStatus, "status", qos.STATUS)
        self._made.append(lambda: self.destroy_lifecycle_publisher(self._status))
        self._recording.begin()
        self._diagnostics = self.create_lifecycle_publisher(DiagnosticArray, "/diagnostics", qos.DIAGNOSTICS)
        self._made.append(lambda: self.destroy_lifecycle_publisher(self._diagnostics))
        self._made.append(Inputs(running).destroy)
        self._made.append(SessionServices(running, executor).destroy)
        self._made.append(ImagineServer(running, executor).destroy)
        if running.config.simulator.enabled:
            self._simulator = self._make_simulator(running, executor)
            self._made.append(self._simulator.destroy)
        timer = steady_timer(self, running.config.status_period_s, self._on_timer, running.timers)
        self._configured_s, self._clock_missed = time.monotonic(), False
        self._made.append(lambda: self.destroy_timer(timer))

    def _make_simulator(self, running: NodeContext, executor: Executor) -> "Simulator":
        if not have("simulation_interfaces"):
            raise LingbotError(
                "simulator.enabled: simulation_interfaces is not installed; `./lingbot sim` builds it once, a ROS 2 "
                "install has it as ros-$ROS_DISTRO-simulation-interfaces",
                ErrorCode.UNSUPPORTED,
            )
        from lingbot_ros.nodes.simulator.services import Simulator  # noqa: PLC0415 - needs the optional package

        return Simulator(running, executor, self._recording)

    def _set_active(self, active: bool) -> None:
        running = self._require_running()
        running.active = active
        reason = LingbotError("the node was deactivated", ErrorCode.NOT_ACTIVE)
        running.worker.submit(lambda served: served.play(active, reason)).result(_STOP_S)

    def stop(self) -> None:
        if self._running is not None:
            self._running.active = False
        worker = self._worker
        if worker is not None and not worker.stop(_STOP_S):
            self.get_logger().error(f"the generator did not end within {_STOP_S} s")
        with self._releasing:  # a signal may come in the middle of a cleanup
            if self._made:
                self._recording.close()
                destroy_all(self, self._made)
            self._running, self._worker, self._simulator = None, None, None

    def _require_running(self) -> NodeContext:
        if self._running is None:
            raise LingbotError("the node is not configured", ErrorCode.NOT_ACTIVE)
        return self._running

    def _on_frame(self, record: Any) -> None:
        self._outputs.publish(record)
        self._camera_outputs.publish(record)
        if self._simulator is not None and self._running is not None and self._running.active:
            self._simulator.on_frame(record)

    def failure_sentence(self, error: Exception) -> str:
        """As every node's; the status counts it."""
        running = self._running
        if running is not None:
            return running.worker.statistics.add_error(error).message
        return super().failure_sentence(error)

    def _on_fault(self, error: Exception) -> None:
        if self._running is not None:
            self._running.refuse("generator", error)
            self._publish_status()

    def _on_change(self, view: WorldView) -> None:
        self._publish_status()

    def _on_timer(self) -> None:
        self._publish_status(always=True)
        self._look_for_clock()
        running = self._running
        if running is None:
            return
        reading, now = read(running.worker, running.info.engine.device), self.get_clock().now().to_msg()
        name = self.get_fully_qualified_name().lstrip("/")
        self._diagnostics.publish(diagnostics_message(reading, running.info, self._outputs.outlets(), name, now))

    def _look_for_clock(self) -> None:
        """Say once that ROS time stands at 0 because nobody gives it."""
        if self._clock_missed or time.monotonic() - self._configured_s < _CLOCK_S:
            return
        if self.get_parameter("use_sim_time").value and self.count_publishers("/clock") == 0:
            self._clock_missed = True
            self.get_logger().warning(
                "use_sim_time is true, and nobody publishes /clock: stamps do not advance until somebody does; frames "
                "keep the pace of real time. Start what publishes /clock, or set use_sim_time to false"
            )

    def _publish_status(self, always: bool = False) -> None:
        """At every tick of the timer, and between ticks on a change, but not in a flood."""
        running = self._running
        if running is None or not (always or time.monotonic() - self._status_sent_s > _STATUS_GAP_S):
            return
        if not self.context.ok():
            return  # a signal took ROS down before this process ends in order
        self._status_sent_s = time.monotonic()
        reading = read(running.worker, running.info.engine.device)
        status = status_message(reading, running.info, self.get_clock().now().to_msg())
        status.recording = self._recording.path
        try:
            self._status.publish(status)
        except InvalidHandle:  # the signal came just now
            return
        self._recording.put("status", status)

    def _check_parameters(self, wanted: Sequence[Parameter]) -> SetParametersResult:
        # Sessions stand at a time of the clock that they were started by.
        clock = any(parameter.name == "use_sim_time" for parameter in wanted)
        if self._running is not None and (clock or changed_values(wanted, parameters.PARAMETERS)):
            return SetParametersResult(successful=False, reason="read at configure: clean up the node first")
        return checked(self, wanted, parameters.PARAMETERS, parameters.config_of)
