"""Talks to an imagination node from another process: lifecycle, sessions, parameters of its model."""

import time
from collections.abc import Callable
from typing import Any

from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rclpy.client import Client
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from lingbot_msgs.msg import ModelInfo, SessionInfo
from lingbot_msgs.srv import ListModels, StartSession
from lingbot_ros.errors import ErrorCode, LingbotError
from lingbot_ros.nodes import qos
from lingbot_ros.nodes.other_users import hint


class ImaginationClient:
    """Calls wait for their answer, spin `executor` meanwhile, and are bounded; from one thread, not from a callback.

    node_name: the imagination node's, relative to `node`'s namespace.
    """

    def __init__(self, node: Node, executor: SingleThreadedExecutor, node_name: str = "imagination") -> None:
        self._node, self._executor, self._name = node, executor, node_name

    def bring_up(self, timeout_s: float, alive: Callable[[], bool]) -> None:
        """Configure and activate the node, if it is not yet. Raises LingbotError when it refuses or dies."""
        state = self.call(GetState, "get_state", GetState.Request(), timeout_s, alive).current_state.id
        for begin, transition in (
            (State.PRIMARY_STATE_UNCONFIGURED, Transition.TRANSITION_CONFIGURE),
            (State.PRIMARY_STATE_INACTIVE, Transition.TRANSITION_ACTIVATE),
        ):
            if state != begin:
                continue
            request = ChangeState.Request(transition=Transition(id=transition))
            if not self.call(ChangeState, "change_state", request, timeout_s, alive).success:
                raise LingbotError(f"the node {self._name} could not be started; see its log above")
            state = begin + 1

    def loaded_model(self, timeout_s: float = 10.0) -> ModelInfo:
        """The model that the node runs."""
        answer = self.call(ListModels, "list_models", ListModels.Request(), timeout_s)
        return _checked(answer).models[0]

    def start_session(self, request: StartSession.Request, timeout_s: float = 30.0) -> SessionInfo:
        """Raises LingbotError with the node's own code and sentence when it refuses."""
        return _checked(self.call(StartSession, "start_session", request, timeout_s)).session

    def call(
        self, kind: Any, name: str, request: Any, timeout_s: float, alive: Callable[[], bool] = lambda: True
    ) -> Any:
        """One service call. Raises LingbotError (TIMED_OUT) naming the service."""
        client: Client[Any, Any] = self._node.create_client(kind, f"{self._name}/{name}", qos_profile=qos.ANSWERS)
        deadline_s = time.monotonic() + timeout_s
        try:
            while not client.wait_for_service(0.2):
                self._require(alive(), deadline_s, f"{self._name}/{name} does not appear")
            pending = client.call_async(request)
            while not pending.done():
                self._executor.spin_once(0.1)
                self._require(alive(), deadline_s, f"{self._name}/{name} does not answer")
            return pending.result()
        finally:
            self._node.destroy_client(client)

    def _require(self, alive: bool, deadline_s: float, what: str) -> None:
        if not alive:
            raise LingbotError(f"the node {self._name} has ended; see its log above")
        if time.monotonic() > deadline_s:
            fix = f"is the node running on this ROS_DOMAIN_ID?{hint()}"
            raise LingbotError(f"{what}; {fix}", ErrorCode.TIMED_OUT)


def _checked(answer: Any) -> Any:
    if answer.error_code:
        raise LingbotError(answer.error_msg, ErrorCode(answer.error_code))
    return answer
