"""Policies that are ROS nodes, for the command: ROS starts in this process when the first one is read."""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from lingbot_ros.compat import have
from lingbot_ros.errors import ErrorCode, InputError, LingbotError

if TYPE_CHECKING:
    from rclpy.executors import Executor
    from rclpy.node import Node

    from lingbot_ros.evaluate.policies.contract import Actions, RowPolicies, Start
    from lingbot_ros.evaluate.policies.policies_file import Kind
    from lingbot_ros.nodes.evaluator.topic_policies import TopicPolicies

_END_S = 2.0


class RosPolicies:
    """Context manager. `kind` is the meaning of the key `ros` in the file of policies."""

    def __init__(self) -> None:
        self._node: Node | None = None
        self._executor: Executor | None = None
        self._policies: TopicPolicies | None = None

    def kind(self, rest: "Callable[[Start], Actions]", fps: float) -> "Kind":
        """As `TopicPolicies.kind`. What it returns raises LingbotError where ROS 2 is not installed."""

        def make(name: str, entry: Mapping[str, Any], folder: Path) -> "RowPolicies":
            return self._started().kind(rest, fps)(name, entry, folder)

        return make

    def __enter__(self) -> "RosPolicies":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._policies is None or self._executor is None or self._node is None:
            return
        import rclpy

        self._policies.close()
        self._executor.shutdown(timeout_sec=_END_S)
        self._node.destroy_node()
        rclpy.try_shutdown()

    def _started(self) -> "TopicPolicies":
        if self._policies is not None:
            return self._policies
        if not have("rclpy"):
            raise InputError("ros", "a policy that is a ROS node", "install ROS 2 (rclpy); ./lingbot brings it along")
        import rclpy
        from rclpy.node import Node
        from rclpy.signals import SignalHandlerOptions

        from lingbot_ros.nodes.evaluator.topic_policies import TopicPolicies
        from lingbot_ros.nodes.executor import PooledExecutor

        try:
            rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
        except RuntimeError as error:
            raise LingbotError(f"ros: ROS cannot be started ({error})", ErrorCode.UNSUPPORTED) from error
        self._node, self._executor = Node("lingbot_evaluate"), PooledExecutor(2)
        self._executor.add_node(self._node)
        threading.Thread(target=self._executor.spin, name="ros", daemon=True).start()
        self._policies = TopicPolicies(self._node)
        return self._policies
