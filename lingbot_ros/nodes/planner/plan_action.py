"""The action `~/plan`: plans once, or plans and acts, on the thread that owns the world, and tells it as it goes."""

import math
import time
from concurrent.futures import Future
from dataclasses import dataclass, field

import numpy as np
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.exceptions import InvalidHandle
from rclpy.executors import Executor
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from lingbot_msgs.action import Plan
from lingbot_msgs.msg import RobotAction
from lingbot_ros.bridge.images import rgb_to_image
from lingbot_ros.bridge.stamps import to_nanoseconds, to_time
from lingbot_ros.errors import ErrorCode, LingbotError
from lingbot_ros.nodes import qos
from lingbot_ros.nodes.awaiting import on_worker
from lingbot_ros.nodes.planner.camera import Camera
from lingbot_ros.nodes.planner.context import PlannerContext
from lingbot_ros.nodes.planner.following import Ending, Follower, Ties
from lingbot_ros.nodes.planner.request import goal_request
from lingbot_ros.nodes.planner.search import Searcher
from lingbot_ros.nodes.planner.starts import Start, Starts
from lingbot_ros.planning.futures import Floats
from lingbot_ros.planning.imagined import imagine
from lingbot_ros.planning.plan import Progress

CANCELED, DEACTIVATED = "it was canceled", "the node was deactivated"

_ACTIONS_DEPTH = 10
_IMAGES_DEPTH = 100


@dataclass
class _Running:
    """One goal at work. shown: the best actions whose images were published."""

    handle: ServerGoalHandle
    result: Plan.Result
    began_s: float
    start: Start | None = None
    shown: Floats | None = None
    feedback: Plan.Feedback = field(default_factory=lambda: Plan.Feedback(trust=math.nan))


class PlanServer:
    """One goal at a time; it goes on without its client. Every goal ends in exactly one final state."""

    def __init__(self, running: PlannerContext, executor: Executor, camera: Camera, starts: Starts) -> None:
        self._running, self._executor, self._camera, self._starts = running, executor, camera, starts
        self._busy = False
        node = running.node
        self._actions = node.create_lifecycle_publisher(RobotAction, "action", qos.reliable(_ACTIONS_DEPTH))
        self._images = node.create_lifecycle_publisher(Image, "plan_image", qos.reliable(_IMAGES_DEPTH))
        self._server = ActionServer(
            node,
            Plan,
            "~/plan",
            self._execute,
            callback_group=running.goals,
            goal_callback=self._admit,
            cancel_callback=lambda _: CancelResponse.ACCEPT,
            goal_service_qos_profile=qos.ANSWERS,
            result_service_qos_profile=qos.ANSWERS,
            cancel_service_qos_profile=qos.ANSWERS,
        )

    def destroy(self) -> None:
        self._server.destroy()
        for publisher in (self._actions, self._images):
            self._running.node.destroy_lifecycle_publisher(publisher)

    def _admit(self, goal: Plan.Goal) -> GoalResponse:
        """Refuse only what cannot be answered: a client of a refused goal does not learn why."""
        if not self._running.active or self._busy:
            why = "a plan is being made; cancel it or wait for it" if self._busy else "the node is not active"
            self._running.node.get_logger().warning(f"plan refused: {why}")
            return GoalResponse.REJECT
        self._busy = True
        return GoalResponse.ACCEPT

    async def _execute(self, handle: ServerGoalHandle) -> Plan.Result:
        work = _Running(handle, Plan.Result(cost=math.nan), time.monotonic())
        try:
            done: Future[Ending] = self._running.planning.submit(self._run, work)
            self._end(work, await on_worker(self._executor, done))
        except Exception as error:  # the boundary to the client; every path ends the goal
            self._running.refuse("plan", error, work.result)
            work.result.reason = work.result.error_msg
            handle.abort()
        finally:
            work.result.duration = time.monotonic() - work.began_s
            if not self._running.closing:
                self._running.planning.submit(self._finish, work)
            self._busy = False
        return work.result

    def _run(self, work: _Running) -> Ending:
        """On the thread that owns the world."""
        goal_message: Plan.Goal = work.handle.request
        goal = self._running.read_goal(goal_request(goal_message, self._running.config))
        start = work.start = self._starts.begin(goal_message, goal_message.seed)

        def on_progress(progress: Progress, actions: Floats) -> bool:
            self._tell(work, progress, actions)
            return not self._why_stop(work)

        if not goal_message.follow:
            Searcher(self._running, on_progress).search(goal_message, goal, start, work.began_s, work.result)
            return Ending(work.result.reason)
        ties = Ties(
            camera=self._camera,
            publish=lambda action: self._publish(work, action),
            why_stop=lambda: self._why_stop(work),
            on_progress=on_progress,
            on_frame=lambda trust: self._count(work, trust),
        )
        return Follower(self._running, goal_message, goal, start, ties).follow(work.result)

    def _why_stop(self, work: _Running) -> str:
        if work.handle.is_cancel_requested:
            return CANCELED
        return "" if self._running.active and not self._running.closing else DEACTIVATED

    def _end(self, work: _Running, ending: Ending) -> None:
        result, handle = work.result, work.handle
        stopped = self._why_stop(work)
        result.reason, result.reached = ending.reason or stopped, ending.reached
        if stopped:
            result.error_code = int(ErrorCode.CANCELED if stopped == CANCELED else ErrorCode.NOT_ACTIVE)
            result.error_msg = stopped
            if handle.is_cancel_requested:
                handle.canceled()
            else:
                handle.abort()
        elif ending.code is ErrorCode.NONE:
            handle.succeed()
        else:
            self._running.refuse("plan", LingbotError(ending.reason, ending.code), result)
            handle.abort()

    def _tell(self, work: _Running, progress: Progress, actions: Floats) -> None:
        feedback, message = work.feedback, work.handle.request
        feedback.iteration, feedback.best_cost = progress.iteration, progress.best_cost
        feedback.elite_mean, feedback.elite_std = progress.elite_mean, progress.elite_std
        # To render costs time of the search: only where somebody watches and nobody waits.
        in_a_hurry = message.follow or message.deadline
        feedback.images = [] if in_a_hurry else self._show(work, actions)
        work.handle.publish_feedback(feedback)

    def _count(self, work: _Running, trust: float) -> None:
        feedback = work.feedback
        feedback.frames_followed, feedback.trust, feedback.images = feedback.frames_followed + 1, trust, []
        work.handle.publish_feedback(feedback)

    def _show(self, work: _Running, actions: Floats) -> list[Image]:
        """Publish what these actions lead to, if that is news and somebody subscribes."""
        assert work.start is not None
        is_news = work.shown is None or not np.array_equal(work.shown, actions)
        if not is_news or not self._images.get_subscription_count():
            return []
        work.shown = actions
        now_ns, period_ns = to_nanoseconds(self._running.now()), round(1e9 / self._running.world.info.fps)
        images = [
            rgb_to_image(image, Header(stamp=to_time(now_ns + (number + 1) * period_ns), frame_id="plan"))
            for number, image in enumerate(imagine(work.start.session, actions))
        ]
        for image in images:
            self._images.publish(image)
        return images

    def _publish(self, work: _Running, action: Floats) -> None:
        assert work.start is not None
        message = RobotAction(values=action.tolist(), session_id=work.start.source_id)
        message.header.stamp = self._running.now()
        work.result.actions.append(message)
        try:
            self._actions.publish(message)
        except InvalidHandle:  # a signal took ROS down just now
            return

    def _finish(self, work: _Running) -> None:
        """After the answer: the images of the plan that was found, and the session's end."""
        if work.start is None:
            return
        plan = [action.values for action in work.result.actions]
        try:
            if plan and not work.handle.request.follow:
                self._show(work, np.array(plan))
        except Exception as error:  # the boundary to the thread, whose exceptions nobody hears
            self._running.refuse("plan_image", error)
        finally:
            work.start.session.close()
