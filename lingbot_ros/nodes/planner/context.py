"""What the parts of a configured planner node share."""

from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any

from builtin_interfaces.msg import Time
from rclpy.callback_groups import CallbackGroup, MutuallyExclusiveCallbackGroup
from rclpy.lifecycle import LifecycleNode

from lingbot_ros.errors import ErrorCode, InputError, LingbotError
from lingbot_ros.nodes.planner.parameters import PlannerConfig
from lingbot_ros.nodes.refusals import refuse
from lingbot_ros.planning.goal import Goal, GoalRequest
from lingbot_ros.planning.image_goal import read_image_goal
from lingbot_ros.tasks.registry import find_task
from lingbot_ros.world import World


class PlannerContext:
    """The world and the one thread that it belongs to, the callback groups, and how errors are reported."""

    def __init__(self, node: LifecycleNode, config: PlannerConfig) -> None:
        """Loads the model. Raises what `World.load` raises, InputError for one without actions, LingbotError
        (TIMED_OUT).
        """
        self.node, self.config = node, config
        self.active = False
        self.closing = False
        self.goals: CallbackGroup = MutuallyExclusiveCallbackGroup()
        self.inputs: CallbackGroup = MutuallyExclusiveCallbackGroup()
        self.planning = ThreadPoolExecutor(1, thread_name_prefix="planning")
        try:
            self.world = self.planning.submit(World.load, options=config.options).result(config.load_timeout_s)
        except FutureTimeoutError as error:
            self.planning.shutdown(wait=False, cancel_futures=True)
            limit = f"model.load_timeout: the model was not loaded within {config.load_timeout_s:g} s"
            raise LingbotError(limit, ErrorCode.TIMED_OUT) from error
        if self.world.info.control.kind != "action":
            self.close()
            raise InputError("model.name", self.world.info.name, "give a model that is driven by actions")

    def read_goal(self, request: GoalRequest) -> Goal:
        """By the model's task, or by images alone for a model without one. Raises InputError."""
        task = self.world.card.task
        return find_task(task).goal(self.world, request) if task else read_image_goal(self.world, request)

    def now(self) -> Time:
        """The node's clock, which is ROS time under use_sim_time."""
        return self.node.get_clock().now().to_msg()

    def refuse(self, what: str, error: Exception, answer: Any = None) -> None:
        """See `refusals.refuse`."""
        refuse(self.node, what, error, answer)

    def close(self) -> None:
        """End the thread, once what it does has ended, and free the world."""
        self.closing = True
        self.planning.submit(self.world.close)
        self.planning.shutdown(wait=True)
