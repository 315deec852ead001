"""The action `~/evaluate_policy`: which policy is better, played on a thread of its own, and told as it goes."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.executors import Executor

from lingbot_msgs.action import EvaluatePolicy
from lingbot_msgs.msg import RolloutScore
from lingbot_ros.errors import ErrorCode, LingbotError
from lingbot_ros.evaluate.policies.policies_file import Kind
from lingbot_ros.evaluate.policy_task import PolicyTask
from lingbot_ros.evaluate.rollouts.record import Rollout
from lingbot_ros.nodes import qos
from lingbot_ros.nodes.awaiting import on_worker
from lingbot_ros.nodes.evaluator.context import EvaluatorContext
from lingbot_ros.nodes.evaluator.evaluation import CANCELED, OUT_OF_TIME, GoalEvaluation, Heard
from lingbot_ros.nodes.evaluator.messages import rollout_score
from lingbot_ros.nodes.executor import run_alone

_DEACTIVATED = "the node was deactivated"


class EvaluateServer:
    """One goal at a time; it goes on without its client. Every goal ends in exactly one final state."""

    def __init__(
        self,
        running: EvaluatorContext,
        executor: Executor,
        publish: Callable[[RolloutScore], None],
        kinds: Callable[[PolicyTask], Mapping[str, Kind]],
        release: Callable[[], None],
    ) -> None:
        """publish: takes the score of each finished rollout. kinds: of policies, for a task. release: takes back what
        the policies of a goal have used of the node.
        """
        self._running, self._executor, self._publish, self._kinds = running, executor, publish, kinds
        self._release = release
        self._prepared: dict[bytes, GoalEvaluation] = {}
        self._waiting: GoalEvaluation | None = None
        self._server = ActionServer(
            running.node,
            EvaluatePolicy,
            "~/evaluate_policy",
            self._execute,
            callback_group=running.goals,
            goal_callback=self._admit,
            handle_accepted_callback=self._begin,
            cancel_callback=lambda _: CancelResponse.ACCEPT,
            goal_service_qos_profile=qos.ANSWERS,
            result_service_qos_profile=qos.ANSWERS,
            cancel_service_qos_profile=qos.ANSWERS,
        )

    def destroy(self) -> None:
        self._server.destroy()

    def _admit(self, goal: EvaluatePolicy.Goal) -> GoalResponse:
        """Refuse what can never work. The client sees only the refusal, so the log says why."""
        try:
            self._running.require_active()
            if self._prepared or self._waiting is not None:
                raise LingbotError("an evaluation is running; cancel it or wait for it", ErrorCode.BUSY)
            self._waiting = self._prepare(goal)
        except Exception as error:  # the boundary to the client
            self._running.refuse("evaluate_policy", error, always=True)
            return GoalResponse.REJECT
        return GoalResponse.ACCEPT

    def _prepare(self, goal: EvaluatePolicy.Goal) -> GoalEvaluation:
        running = self._running
        task = running.task(goal.task)
        folder = running.inside_reports(goal.out or time.strftime("evaluation_%Y_%m_%d-%H_%M_%S"), "out")
        return GoalEvaluation(goal, task, running.worlds, folder, running.config.rollouts, self._kinds(task))

    def _begin(self, handle: ServerGoalHandle) -> None:
        assert self._waiting is not None
        self._prepared[bytes(handle.goal_id.uuid)], self._waiting = self._waiting, None
        handle.execute()

    async def _execute(self, handle: ServerGoalHandle) -> EvaluatePolicy.Result:
        result, goal_id = EvaluatePolicy.Result(), bytes(handle.goal_id.uuid)
        evaluation = self._prepared[goal_id]
        try:
            work: Future[str] = self._running.evaluation.submit(self._run, handle, evaluation, result)
            stopped = await on_worker(self._executor, work)
            self._end(handle, result, stopped)
        except Exception as error:  # the boundary to the client; every path ends the goal
            self._running.refuse("evaluate_policy", error, result)
            handle.abort()
        finally:
            run_alone(self._executor, self._running.node, self._release)
            self._prepared.pop(goal_id, None)
        return result

    def _run(self, handle: ServerGoalHandle, evaluation: GoalEvaluation, result: EvaluatePolicy.Result) -> str:
        def why_stop() -> str:
            if handle.is_cancel_requested:
                return CANCELED
            return "" if self._running.active and not self._running.closing else _DEACTIVATED

        running = self._running
        running.node.get_logger().info(f"evaluating: {evaluation.total} rollouts, kept in {evaluation.folder}")

        def rollout(ended: Rollout, arm: int, control: str, start: int) -> None:
            task = evaluation.task
            now = running.now()
            self._publish(rollout_score(ended, task, running.model, now, arm=arm, control=control, start_index=start))

        def progress(done: int, total: int, remaining_s: float, scores: list[Any]) -> None:
            feedback = EvaluatePolicy.Feedback(rollouts_done=done, rollouts_total=total, remaining=remaining_s)
            feedback.scores = scores
            handle.publish_feedback(feedback)

        return evaluation.run(why_stop, Heard(rollout, progress), result)

    def _end(self, handle: ServerGoalHandle, result: EvaluatePolicy.Result, stopped: str) -> None:
        if not stopped or stopped == OUT_OF_TIME:
            result.error_code = int(ErrorCode.TIMED_OUT if stopped else ErrorCode.NONE)
            result.error_msg = (
                f"time_budget: {stopped}; send the goal again with the same out to go on" if stopped else ""
            )
            handle.succeed()
            return
        code = ErrorCode.CANCELED if stopped == CANCELED else ErrorCode.NOT_ACTIVE
        result.error_code, result.error_msg = int(code), f"{stopped}; send the goal again with the same out to go on"
        if handle.is_cancel_requested:
            handle.canceled()
        else:
            handle.abort()
