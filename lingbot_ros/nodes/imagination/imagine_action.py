"""The action `~/imagine`: a trajectory in, frames out as they come."""

from collections.abc import Sequence

from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.executors import Executor
from rclpy.serialization import serialize_message

from lingbot_msgs.action import Imagine
from lingbot_msgs.msg import SessionInfo
from lingbot_ros.bridge.images import rgb_to_image
from lingbot_ros.bridge.session_messages import frame_header
from lingbot_ros.control.prompts import PromptEvent, check_prompts
from lingbot_ros.errors import ErrorCode, InputError, LingbotError
from lingbot_ros.nodes import qos
from lingbot_ros.nodes.awaiting import on_worker
from lingbot_ros.nodes.imagination.context import NodeContext
from lingbot_ros.runtime.enums import ControlSource
from lingbot_ros.runtime.records import FrameRecord, RolloutResult
from lingbot_ros.runtime.rollout import Rollout


class ImagineServer:
    """One goal per session at a time; goals on a fork disturb nobody. Every goal ends in exactly one final state.

    The goal works on its own: a client that vanishes leaves it to end by itself, and the session where it then stands.
    """

    def __init__(self, running: NodeContext, executor: Executor) -> None:
        self._running, self._executor = running, executor
        self._rollouts: dict[bytes, Rollout] = {}
        self._unusable: dict[bytes, Exception] = {}
        profile = qos.requests(running.config.worker.limits.requests)
        self._server = ActionServer(
            running.node,
            Imagine,
            "~/imagine",
            self._execute,
            callback_group=running.goals,
            goal_callback=self._admit,
            handle_accepted_callback=self._begin,
            cancel_callback=self._cancel,
            goal_service_qos_profile=profile,
            result_service_qos_profile=profile,
            cancel_service_qos_profile=profile,
            result_timeout=qos.RESULT_TIMEOUT_S,
        )

    def destroy(self) -> None:
        self._server.destroy()

    def _admit(self, goal: Imagine.Goal) -> GoalResponse:
        """Refuse what can never work. The client sees only the refusal, so the log says why."""
        try:
            self._running.require_active()
            controls = self._running.controls(goal.actions, goal.camera_poses, ControlSource.GOAL)
            check_prompts(_events(goal), len(controls))
            if goal.prompts and not self._running.card.takes_text:
                fix = f"{self._running.card.name} takes no text; leave them out"
                raise InputError("prompts", f"{len(goal.prompts)} prompts", fix)
            if not goal.preempt and self._others(goal):
                raise LingbotError("a goal is running on this session; set preempt to replace it", ErrorCode.BUSY)
        except Exception as error:  # the boundary to the client
            self._running.refuse("imagine", error)
            return GoalResponse.REJECT
        return GoalResponse.ACCEPT

    def _begin(self, handle: ServerGoalHandle) -> None:
        goal = handle.request
        try:
            controls = self._running.controls(goal.actions, goal.camera_poses, ControlSource.GOAL)
        except Exception as error:  # a transform may have gone since the goal was admitted; its execution tells so
            self._unusable[bytes(handle.goal_id.uuid)] = error
            handle.execute()
            return
        if not goal.on_fork:
            for other in self._others(goal):
                other.stop(LingbotError("a newer goal replaced it", ErrorCode.PREEMPTED))
        rollout = Rollout(
            goal.session_id or self._running.worker.view.active_id,
            controls,
            goal.prompt,
            _events(goal),
            paced=goal.paced,
            on_fork=goal.on_fork,
            canceled=lambda: handle.is_cancel_requested,
        )
        rollout.on_chunk = lambda frames: self._feed_back(handle, rollout, frames)
        self._rollouts[bytes(handle.goal_id.uuid)] = rollout
        handle.execute()

    def _cancel(self, _: ServerGoalHandle) -> CancelResponse:
        return CancelResponse.ACCEPT

    async def _execute(self, handle: ServerGoalHandle) -> Imagine.Result:
        result, goal_id = Imagine.Result(), bytes(handle.goal_id.uuid)
        try:
            if goal_id in self._unusable:
                raise self._unusable.pop(goal_id)
            rollout = self._rollouts[goal_id]
            await on_worker(self._executor, self._running.worker.submit(lambda served: served.add_rollout(rollout)))
            outcome: RolloutResult = await on_worker(self._executor, rollout.done)
            result.frames, result.duration = outcome.frames, outcome.duration_s
            if outcome.session is not None:
                result.session = self._sendable(self._running.session_message(outcome.session))
            if outcome.error is not None:
                raise outcome.error
            handle.succeed()
        except Exception as error:  # the boundary to the client; every path ends the goal
            self._end(handle, error, result)
        finally:
            self._rollouts.pop(goal_id, None)
        return result

    @staticmethod
    def _sendable(session: SessionInfo) -> SessionInfo:
        """The same. Raises what rclpy would raise once it is too late to say so in the result."""
        serialize_message(session)
        return session

    def _end(self, handle: ServerGoalHandle, error: Exception, result: Imagine.Result) -> None:
        if isinstance(error, LingbotError) and error.code is ErrorCode.CANCELED:
            result.error_code, result.error_msg = int(error.code), str(error)
            handle.canceled()
            return
        self._running.refuse("imagine", error, result)
        handle.abort()

    def _feed_back(self, handle: ServerGoalHandle, rollout: Rollout, frames: Sequence[FrameRecord]) -> None:
        """Runs on the worker's thread, after each chunk."""
        feedback = Imagine.Feedback(frames_done=rollout.frames, frames_total=len(rollout.controls))
        feedback.frames = [self._running.frame_message(record) for record in frames]
        if handle.request.return_images:
            frame_id = self._running.config.optical_frame
            feedback.images = [rgb_to_image(record.image, frame_header(record, frame_id)) for record in frames]
        handle.publish_feedback(feedback)

    def _others(self, goal: Imagine.Goal) -> list[Rollout]:
        """Goals that work on the same session itself."""
        if goal.on_fork:
            return []
        wanted = goal.session_id or self._running.worker.view.active_id
        return [other for other in self._rollouts.values() if other.session_id == wanted and not other.on_fork]


def _events(goal: Imagine.Goal) -> list[PromptEvent]:
    return [PromptEvent(event.frame, event.prompt) for event in goal.prompts]
