"""The lifecycle node `evaluator`: which policy is better, how good is this rollout, does reality follow the plan?"""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rcl_interfaces.msg import SetParametersResult
from rclpy.exceptions import InvalidHandle
from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter

from lingbot_msgs.msg import RolloutScore
from lingbot_ros.compat import feature_line
from lingbot_ros.errors import ErrorCode, LingbotError
from lingbot_ros.evaluate.policies.policies_file import KINDS, Kind
from lingbot_ros.evaluate.policy_task import PolicyTask
from lingbot_ros.evaluate.value import ValueEstimator
from lingbot_ros.nodes import qos
from lingbot_ros.nodes.declared import changed_values, checked, declare, values_of
from lingbot_ros.nodes.evaluator import parameters
from lingbot_ros.nodes.evaluator.context import EvaluatorContext
from lingbot_ros.nodes.evaluator.evaluate_action import EvaluateServer
from lingbot_ros.nodes.evaluator.live import LiveInputs, SeenAction, SeenImage
from lingbot_ros.nodes.evaluator.remote_worlds import RemoteWorlds
from lingbot_ros.nodes.evaluator.score_service import ScoreService
from lingbot_ros.nodes.evaluator.topic_policies import TopicPolicies
from lingbot_ros.nodes.evaluator.trust_topic import TrustTopic
from lingbot_ros.nodes.evaluator.value_topics import ValueTopics
from lingbot_ros.nodes.evaluator.worlds import OwnWorlds, Worlds
from lingbot_ros.nodes.reporting_node import ReportingNode, destroy_all
from lingbot_ros.nodes.transitions import reported
from lingbot_ros.tasks.registry import find_task

_SCORES_DEPTH = 50


class EvaluatorNode(ReportingNode):
    """Configure loads the model or finds the imagination nodes; only an active node answers; cleanup frees all."""

    def __init__(self, name: str = "evaluator", **kwargs: Any) -> None:
        self._running: EvaluatorContext | None = None
        super().__init__(name, **kwargs)
        declare(self, parameters.PARAMETERS)
        self.add_on_set_parameters_callback(self._check_parameters)
        self._stops: list[Callable[[], object]] = []
        self._made: list[Callable[[], object]] = []
        self._releasing = threading.RLock()

    @reported
    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        config = parameters.config_of(values_of(self, parameters.PARAMETERS))
        self.get_logger().info(feature_line())
        if self.executor is None:
            raise LingbotError("the node is on no executor; add it to one before it is configured", ErrorCode.INTERNAL)
        try:
            worlds: Worlds
            if config.nodes:
                worlds = RemoteWorlds(self, config.nodes, config.node_rows, config.node_timeout_s)
                self._made.append(worlds.close)
            else:
                worlds = OwnWorlds(config)
                self._stops.append(worlds.close)
            self._running = EvaluatorContext(self, config, worlds)
            self._stops.insert(0, self._running.close)
            self._create_interfaces(self._running)
        except BaseException:
            self.stop()
            raise
        where = f"in {', '.join(config.nodes)}" if config.nodes else "in this node"
        self.get_logger().info(f"{worlds.model.name} ready to evaluate in, {where}; task {worlds.model.task or 'none'}")
        return TransitionCallbackReturn.SUCCESS

    @reported
    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        result = super().on_activate(state)
        self._require_running().active = True
        return result

    @reported
    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._require_running().active = False
        return super().on_deactivate(state)

    def _create_interfaces(self, running: EvaluatorContext) -> None:
        """What is made is noted at once, so that it is freed where a later one cannot be made."""
        executor = self.executor
        assert executor is not None
        estimator = self._estimator(running)
        policies = TopicPolicies(self)
        self._stops.append(policies.close)
        self._made.append(policies.destroy)
        scores = self.create_lifecycle_publisher(RolloutScore, "scores", qos.reliable(_SCORES_DEPTH))
        self._made.append(lambda: self.destroy_lifecycle_publisher(scores))

        def publish(score: RolloutScore) -> None:
            try:
                scores.publish(score)
            except InvalidHandle:  # a signal took ROS down just now
                return

        def kinds(task: PolicyTask) -> Mapping[str, Kind]:
            return {**KINDS, "ros": policies.kind(task.rest, running.model.fps)}

        self._made.append(EvaluateServer(running, executor, publish, kinds, policies.destroy).destroy)
        self._made.append(ScoreService(running, executor, estimator).destroy)
        self._create_live(running, estimator)

    def _create_live(self, running: EvaluatorContext, estimator: ValueEstimator | None) -> None:
        trust = TrustTopic(running) if running.config.trust.enabled else None
        values = ValueTopics(running, estimator) if running.config.value else None
        for topic in (trust, values):
            if topic is not None:
                self._made.append(topic.destroy)
        if trust is None and values is None:
            return

        def on_image(image: SeenImage) -> None:
            if values is not None:
                values.show(image)
            if trust is not None:
                trust.show(image)

        def on_action(action: SeenAction) -> None:
            if trust is not None:
                trust.act(action)

        live = LiveInputs(running, on_image, on_action)
        self._made.append(live.destroy)
        if trust is not None:
            self._stops.insert(0, trust.close)
        self._stops.insert(0, live.stop)

    @staticmethod
    def _estimator(running: EvaluatorContext) -> ValueEstimator | None:
        return find_task(running.model.task).value_estimator() if running.model.task else None

    def stop(self) -> None:
        if self._running is not None:
            self._running.active = False
            self._running.closing = True
        with self._releasing:  # a signal may come in the middle of a cleanup
            stops, self._stops = self._stops, []
            for stop in stops:
                stop()
            destroy_all(self, self._made)
            self._running = None

    def _require_running(self) -> EvaluatorContext:
        if self._running is None:
            raise LingbotError("the node is not configured", ErrorCode.NOT_ACTIVE)
        return self._running

    def _check_parameters(self, wanted: Sequence[Parameter]) -> SetParametersResult:
        if self._running is not None and changed_values(wanted, parameters.PARAMETERS):
            return SetParametersResult(successful=False, reason="read at configure: clean up the node first")
        return checked(self, wanted, parameters.PARAMETERS, parameters.config_of)
