"""A lifecycle node that frees everything when it ends, and whose services answer whatever happens."""

import traceback
from abc import abstractmethod
from collections.abc import Callable
from typing import Any

from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.service import Service

from lingbot_ros.errors import printable
from lingbot_ros.nodes.answering import always_answering
from lingbot_ros.nodes.executor import run_alone
from lingbot_ros.nodes.transitions import reported


class ReportingNode(LifecycleNode):
    """The base of the package's lifecycle nodes."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for service in self.services:
            if service.srv_type.__module__.startswith("lifecycle_msgs."):  # rclpy makes these without create_service
                always_answering(service, self._tell_failure)

    def create_service(self, *args: Any, **options: Any) -> Service:
        """As rclpy's; the service answers whatever happens, see `always_answering`."""
        return always_answering(super().create_service(*args, **options), self._tell_failure)

    @abstractmethod
    def stop(self) -> None:
        """Free everything and end all threads. Idempotent, from any thread and state; what was not made is skipped."""

    @reported
    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        self.stop()
        return TransitionCallbackReturn.SUCCESS

    @reported
    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        self.stop()
        return TransitionCallbackReturn.SUCCESS

    @reported
    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        self.stop()
        return TransitionCallbackReturn.SUCCESS

    def failure_sentence(self, error: Exception) -> str:
        """What a client is told of a failure that is nobody's input. A node that counts failures counts it here."""
        return printable(f"{type(error).__name__}: {error}")

    def _tell_failure(self, service: str, error: Exception) -> str:
        if not self.context.ok():
            return ""  # a signal took ROS down before this process ends in order: what cannot be sent is no fault
        self.get_logger().error(printable(f"{service}:\n{''.join(traceback.format_exception(error))}"))
        return self.failure_sentence(error)


def destroy_all(node: ReportingNode, destroyers: list[Callable[[], object]]) -> None:
    """Call the `destroyers` of a node's interfaces in order and empty the list, while no callback of the node runs."""
    calls = list(destroyers)
    destroyers.clear()

    def call_all() -> None:
        for call in calls:
            call()

    if calls:
        run_alone(node.executor, node, call_all)
