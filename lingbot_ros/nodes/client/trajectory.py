"""Streaming a camera trajectory through the node's action `~/imagine`."""

import time
from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

from geometry_msgs.msg import PoseStamped
from rclpy.action import ActionClient
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile
from unique_identifier_msgs.msg import UUID

from lingbot_msgs.action import Imagine
from lingbot_msgs.msg import PromptEvent as PromptEventMessage
from lingbot_msgs.msg import RobotAction
from lingbot_ros.control.prompts import PromptEvent, prompts_from
from lingbot_ros.errors import ErrorCode, LingbotError

_SERVER_S = _FEEDBACK_S = 60.0

# Feedback waits in queues of ten messages, one per chunk: a longer goal could outrun a slow reader.
_QUEUE, _CHUNKS_PER_GOAL = 10, 8


class TrajectoryClient:
    """Calls spin `executor`; from one thread, not from a callback. node_name: relative to `node`'s namespace."""

    def __init__(self, node: Node, executor: SingleThreadedExecutor, node_name: str = "imagination") -> None:
        self._executor = executor
        self._node = node
        self._client: Any = ActionClient(node, Imagine, f"{node_name}/imagine")
        # The action client forgets a goal at its result, which can overtake the last images; this hears them all.
        topic, kind = f"{node_name}/imagine/_action/feedback", Imagine.Impl.FeedbackMessage
        self._feedback = node.create_subscription(kind, topic, self._hear, QoSProfile(depth=_QUEUE))
        self._on_chunk: Callable[[Imagine.Feedback], None] = lambda chunk: None
        self._goal_id = UUID()
        self._frames = 0

    def destroy(self) -> None:
        self._client.destroy()
        self._node.destroy_subscription(self._feedback)

    def imagine(
        self,
        session_id: str,
        poses: Sequence[PoseStamped],
        chunks: tuple[int, int],
        on_chunk: Callable[[Imagine.Feedback], None],
        *,
        keys: Sequence[RobotAction] = (),
        prompt: str = "",
        prompts: Sequence[PromptEvent] = (),
        paced: bool,
        going: Callable[[], bool],
    ) -> int:
        """Imagine `poses`, which fill whole chunks of `chunks` frames: the first and the later ones, from frame 0 on.

        `keys`: one action per pose for models that take both. `prompts` are counted in these frames; an empty one means
        `prompt`, which must not be empty then. `on_chunk` gets the feedback of each, images included, none left out.
        `going` is asked meanwhile; the goal is canceled once it says no. Returns the frames that were imagined. Raises
        LingbotError with the node's own code and sentence when it fails.
        """
        self._on_chunk, done = on_chunk, 0
        first, later = chunks
        while done < len(poses) and going():
            count = later * _CHUNKS_PER_GOAL if done else first + later * (_CHUNKS_PER_GOAL - 1)
            count = min(count, len(poses) - done)
            goal = Imagine.Goal(session_id=session_id, camera_poses=poses[done : done + count])
            goal.actions = keys[done : done + count]
            if prompts:
                events = prompts_from(prompts, done, done + count)
                goal.prompt, goal.prompts = prompt, [PromptEventMessage(frame=e.frame, prompt=e.prompt) for e in events]
            goal.paced, goal.return_images = paced, True
            done += self._run(goal, going)
        return done

    def _run(self, goal: Imagine.Goal, going: Callable[[], bool]) -> int:
        deadline_s = time.monotonic() + _SERVER_S
        self._spin(self._client.server_is_ready, deadline_s, "the action imagine does not appear")
        self._frames, self._goal_id = 0, UUID(uuid=list(uuid4().bytes))
        sent = self._client.send_goal_async(goal, goal_uuid=self._goal_id)
        self._spin(sent.done, time.monotonic() + _SERVER_S, "the action imagine does not answer")
        handle = sent.result()
        if handle is None or not handle.accepted:
            raise LingbotError("the node refused the trajectory; see its log above", ErrorCode.INVALID_INPUT)
        answer = handle.get_result_async()
        cancel: Any = None
        while not answer.done():
            if cancel is None and not going():
                cancel = handle.cancel_goal_async()
            self._executor.spin_once(0.05)
        answered: Any = answer.result()
        result: Imagine.Result = answered.result
        if result.error_code and not (cancel and result.error_code == ErrorCode.CANCELED):
            raise LingbotError(result.error_msg, ErrorCode(result.error_code))
        heard = "not all frames came back from the node; see `lingbot doctor` on DDS"
        self._spin(lambda: self._frames >= result.frames, time.monotonic() + _FEEDBACK_S, heard)
        return int(result.frames)

    def _hear(self, message: Any) -> None:
        if message.goal_id != self._goal_id:
            return
        chunk: Imagine.Feedback = message.feedback
        self._frames += len(chunk.frames)
        self._on_chunk(chunk)

    def _spin(self, until: Callable[[], bool], deadline_s: float, otherwise: str) -> None:
        while not until():
            if time.monotonic() > deadline_s:
                raise LingbotError(otherwise, ErrorCode.TIMED_OUT)
            self._executor.spin_once(0.05)
