"""A lifecycle node whose services answer whatever happens."""

import traceback
from abc import abstractmethod
from typing import Any

from rclpy.lifecycle import LifecycleNode
from rclpy.service import Service

from lingbot_ros.errors import printable
from lingbot_ros.nodes.answering import always_answering


class ReportingNode(LifecycleNode):
    """The base of the package's lifecycle nodes."""

    def create_service(self, *args: Any, **options: Any) -> Service:
        """As rclpy's; the service answers whatever happens, see `always_answering`."""
        return always_answering(super().create_service(*args, **options), self._tell_failure)

    @abstractmethod
    def stop(self) -> None:
        """End all threads, from any state; the process is about to end."""

    def failure_sentence(self, error: Exception) -> str:
        """What a client is told of a failure that is nobody's input. A node that counts failures counts it here."""
        return printable(f"{type(error).__name__}: {error}")

    def _tell_failure(self, service: str, error: Exception) -> str:
        if not self.context.ok():
            return ""  # a signal took ROS down before this process ends in order: what cannot be sent is no fault
        self.get_logger().error(printable(f"{service}:\n{''.join(traceback.format_exception(error))}"))
        return self.failure_sentence(error)
