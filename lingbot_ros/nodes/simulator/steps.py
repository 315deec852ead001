"""Stepping a paused simulation: the service and the action of the standard."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.executors import Executor
from simulation_interfaces.action import SimulateSteps
from simulation_interfaces.msg import Result
from simulation_interfaces.srv import StepSimulation

from lingbot_ros.bridge import simulation_messages as messages
from lingbot_ros.errors import ErrorCode, LingbotError
from lingbot_ros.nodes import qos
from lingbot_ros.nodes.awaiting import on_worker
from lingbot_ros.nodes.imagination.context import NodeContext
from lingbot_ros.runtime.enums import FrameKind
from lingbot_ros.runtime.records import FrameRecord
from lingbot_ros.runtime.simulation import NotPausedError, Simulation


class Publication:
    """Who waits until a frame of the simulation is out. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._frame_index = -1
        self._waiting: list[tuple[int, Future[None]]] = []

    def on_frame(self, record: FrameRecord) -> None:
        """On the pacer's thread, after publication. A first image means that the frames before it are void."""
        with self._lock:
            self._frame_index = record.frame_index
            began = record.kind is FrameKind.SEED
            ready = [future for index, future in self._waiting if began or index <= record.frame_index]
            self._waiting = [(index, future) for index, future in self._waiting if future not in ready]
        for future in ready:
            future.set_result(None)

    def of_frame(self, frame_index: int) -> "Future[None]":
        """Done once that frame of the present session has been published."""
        future: Future[None] = Future()
        with self._lock:
            if frame_index > self._frame_index:
                self._waiting.append((frame_index, future))
                return future
        future.set_result(None)
        return future

    def close(self) -> None:
        """Let go of all who wait."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for _, future in waiting:
            future.set_result(None)


class SimulatorSteps:
    """A step is one chunk, the least that the model imagines at once; it is done when its frames are published."""

    def __init__(self, running: NodeContext, executor: Executor, simulation: Simulation) -> None:
        self._running, self._executor, self._simulation = running, executor, simulation
        self.published = Publication()
        self._service: Any = None
        self._action: Any = None

    def begin(self) -> None:
        """Offer both."""
        running = self._running
        profile = qos.requests(running.config.worker.limits.requests)
        self._service = running.node.create_service(
            StepSimulation, "step_simulation", self._on_step, qos_profile=profile, callback_group=running.requests
        )
        self._action = ActionServer(
            running.node,
            SimulateSteps,
            "simulate_steps",
            self._on_goal,
            goal_callback=lambda _: GoalResponse.ACCEPT,
            cancel_callback=lambda _: CancelResponse.ACCEPT,
            callback_group=running.requests,
            goal_service_qos_profile=profile,
            result_service_qos_profile=profile,
            cancel_service_qos_profile=profile,
            result_timeout=qos.RESULT_TIMEOUT_S,
        )

    def end(self) -> None:
        """Withdraw both; those who wait for a frame are let go first."""
        self.published.close()
        if self._service is not None:
            self._action.destroy()
            self._running.node.destroy_service(self._service)
        self._service = self._action = None

    async def _on_step(
        self, request: StepSimulation.Request, response: StepSimulation.Response
    ) -> StepSimulation.Response:
        response.result = await self._step(request.steps, lambda: False, lambda done: None)
        return response

    async def _on_goal(self, handle: Any) -> SimulateSteps.Result:
        steps = handle.request.steps

        def tell(done: int) -> None:
            handle.publish_feedback(SimulateSteps.Feedback(completed_steps=done, remaining_steps=steps - done))

        result = await self._step(steps, lambda: handle.is_cancel_requested, tell)
        if handle.is_cancel_requested and result.result != Result.RESULT_OK:
            handle.canceled()
        elif result.result == Result.RESULT_OK:
            handle.succeed()
        else:
            handle.abort()
        return SimulateSteps.Result(result=result)

    async def _step(self, steps: int, canceled: Callable[[], bool], tell: Callable[[int], None]) -> Result:
        """Chunk after chunk; others may work on their sessions between two."""
        worker = self._running.worker
        try:
            for done in range(1, steps + 1):
                self._running.require_active()
                if canceled():
                    raise LingbotError(f"canceled after {done - 1} of {steps} steps", ErrorCode.CANCELED)
                rollout = await on_worker(
                    self._executor, worker.submit(lambda served: self._simulation.begin_step(served, canceled))
                )
                outcome = await on_worker(self._executor, rollout.done)
                if outcome.error is not None:
                    raise outcome.error
                if outcome.session is not None:
                    await on_worker(self._executor, self.published.of_frame(outcome.session.frame_index))
                tell(done)
        except NotPausedError as error:
            # The standard asks for this code where a simulation that is not paused is stepped.
            self._running.refuse("step", error)
            return Result(result=Result.RESULT_OPERATION_FAILED, error_message=str(error))
        except Exception as error:  # the boundary to the client: it gets the code, the log gets the traceback
            self._running.refuse("step", error)
            return messages.failed(error)
        return messages.ok()
