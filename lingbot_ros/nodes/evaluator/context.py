"""What the parts of a configured evaluator node share."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from builtin_interfaces.msg import Time
from rclpy.callback_groups import CallbackGroup, MutuallyExclusiveCallbackGroup, ReentrantCallbackGroup
from rclpy.lifecycle import LifecycleNode

from lingbot_ros.errors import ErrorCode, InputError, LingbotError
from lingbot_ros.evaluate.policy_task import PolicyTask
from lingbot_ros.nodes.evaluator.parameters import EvaluatorConfig
from lingbot_ros.nodes.evaluator.worlds import Worlds
from lingbot_ros.nodes.refusals import refuse
from lingbot_ros.tasks.registry import find_task


class EvaluatorContext:
    """The worlds, the threads that wait for them, the callback groups, and how errors are reported.

    evaluation: the thread of the one goal at a time. scoring: that of the service, whose requests take turns.
    """

    def __init__(self, node: LifecycleNode, config: EvaluatorConfig, worlds: Worlds) -> None:
        self.node, self.config, self.worlds = node, config, worlds
        self.model = worlds.model
        self.active = False
        self.closing = False
        self.requests: CallbackGroup = ReentrantCallbackGroup()
        self.goals: CallbackGroup = MutuallyExclusiveCallbackGroup()
        self.inputs: CallbackGroup = MutuallyExclusiveCallbackGroup()
        self.evaluation = ThreadPoolExecutor(1, thread_name_prefix="evaluation")
        self.scoring = ThreadPoolExecutor(1, thread_name_prefix="scoring")

    def require_active(self) -> None:
        if not self.active:
            raise LingbotError("the node is not active; activate it first", ErrorCode.NOT_ACTIVE)

    def task(self, name: str) -> PolicyTask:
        """The evaluation of a task by name, empty = the model's. Raises InputError and ModelError."""
        chosen = name or self.model.task
        if not chosen:
            raise InputError("task", "nothing", f"name a task: the card of {self.model.name} names none")
        if self.model.task and chosen != self.model.task:
            raise InputError("task", chosen, f"the model {self.model.name} imagines {self.model.task}; leave it empty")
        return find_task(chosen).policies()

    def inside_reports(self, path: str, field: str) -> Path:
        """A folder inside the report folder. Raises InputError for one outside of it."""
        root = self.config.report_folder.resolve()
        target = (root / path).resolve()
        if not target.is_relative_to(root) or target == root:
            raise InputError(field, f"'{path}'", f"give a path inside the report folder {root}")
        return target

    def now(self) -> Time:
        """The node's clock, which is ROS time under use_sim_time."""
        return self.node.get_clock().now().to_msg()

    def refuse(self, what: str, error: Exception, answer: Any = None, *, always: bool = False) -> None:
        """See `refusals.refuse`."""
        refuse(self.node, what, error, answer, always=always)

    def close(self) -> None:
        """End the threads, once what they do has ended."""
        self.closing = True
        for thread in (self.evaluation, self.scoring):
            thread.shutdown(wait=True, cancel_futures=True)
