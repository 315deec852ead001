"""Calls of another node's services from a thread that is not the executor's."""

import threading
import time
from collections.abc import Callable
from typing import Any

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.client import Client
from rclpy.node import Node

from lingbot_ros.errors import ErrorCode, LingbotError
from lingbot_ros.nodes import qos

_LOOK_S = 0.5
_ABSENT_S = 3.0


class NodeGoneError(LingbotError):
    """The other node has left the network, or never was on it."""

    code = ErrorCode.TIMED_OUT


class NodeLink:
    """One node's services, by clients that are kept. The executor of `node` spins on other threads meanwhile."""

    def __init__(self, node: Node, name: str, timeout_s: float) -> None:
        """name: of the other node, relative to this one's namespace. timeout_s: for one answer."""
        self.name, self._node, self._timeout_s = name, node, timeout_s
        self._group = ReentrantCallbackGroup()
        self._clients: dict[str, Client[Any, Any]] = {}

    def call(self, kind: Any, service: str, request: Any) -> Any:
        """The answer. Raises NodeGoneError, LingbotError (TIMED_OUT), and the other node's own error."""
        return self.begin(kind, service, request)()

    def begin(self, kind: Any, service: str, request: Any) -> Callable[[], Any]:
        """Send a request; the call that is returned waits for its answer and raises as `call`."""
        client = self._client(kind, service)
        if not client.service_is_ready() and not client.wait_for_service(_ABSENT_S):
            raise NodeGoneError(f"{self.name}/{service} is not there; is the node active on this ROS_DOMAIN_ID?")
        answered = threading.Event()
        pending = client.call_async(request)
        pending.add_done_callback(lambda _: answered.set())

        def wait() -> Any:
            deadline_s, absent_since_s = time.monotonic() + self._timeout_s, None
            while not answered.wait(_LOOK_S):
                now_s = time.monotonic()
                if not self._node.context.ok():
                    raise NodeGoneError(f"{self.name}/{service}: this node ends before the answer is here")
                absent_since_s = None if client.service_is_ready() else absent_since_s or now_s
                if absent_since_s is not None and now_s - absent_since_s > _ABSENT_S:
                    client.remove_pending_request(pending)
                    raise NodeGoneError(f"{self.name} left the network before it answered {service}")
                if now_s > deadline_s:
                    client.remove_pending_request(pending)
                    limit = f"{self.name}/{service} did not answer within {self._timeout_s:g} s"
                    raise LingbotError(limit, ErrorCode.TIMED_OUT)
            answer: Any = pending.result()
            if answer.error_code:
                raise LingbotError(f"{self.name}: {answer.error_msg}", ErrorCode(answer.error_code))
            return answer

        return wait

    def close(self) -> None:
        """Give the clients back; the executor must not be waiting for them (`run_alone`)."""
        for client in self._clients.values():
            self._node.destroy_client(client)
        self._clients.clear()

    def _client(self, kind: Any, service: str) -> "Client[Any, Any]":
        if service not in self._clients:
            self._clients[service] = self._node.create_client(
                kind, f"{self.name}/{service}", qos_profile=qos.ANSWERS, callback_group=self._group
            )
        return self._clients[service]
