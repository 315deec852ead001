"""The lifecycle node `agent`: lets a vision-language model drive and direct what an imagination node imagines."""

from collections.abc import Sequence
from typing import Any

from rcl_interfaces.msg import SetParametersResult
from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter

from lingbot_ros.agent.director import Director
from lingbot_ros.agent.language_model import Endpoint, LanguageModel, LocalModel
from lingbot_ros.agent.pilot import Pilot
from lingbot_ros.errors import ErrorCode, LingbotError
from lingbot_ros.nodes.agent import parameters
from lingbot_ros.nodes.agent.camera import Camera
from lingbot_ros.nodes.agent.commands import Commands
from lingbot_ros.nodes.agent.driving import Activity
from lingbot_ros.nodes.agent.parameters import AgentConfig
from lingbot_ros.nodes.declared import changed_values, checked, declare, values_of
from lingbot_ros.nodes.executor import run_alone
from lingbot_ros.nodes.reporting_node import ReportingNode
from lingbot_ros.nodes.transitions import reported


class AgentNode(ReportingNode):
    """Configure loads the model; only an active node drives; deactivate stops the robot."""

    def __init__(self, name: str = "agent", **kwargs: Any) -> None:
        self._config: AgentConfig | None = None
        super().__init__(name, **kwargs)
        declare(self, parameters.PARAMETERS)
        self.add_on_set_parameters_callback(self._check_parameters)
        self._model: LanguageModel | None = None
        self._camera: Camera | None = None
        self._commands: Commands | None = None
        self._activity: Activity | None = None

    @reported
    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        config = parameters.config_of(values_of(self, parameters.PARAMETERS))
        parameters.require_work(config)
        if config.needs_model:
            self._model = (
                Endpoint(config.base_url, config.model, config.api_key_variable, config.answer_timeout_s)
                if config.base_url
                else LocalModel(config.model)
            )
        self._config = config
        self._camera = Camera(self)
        self._commands = Commands(self, keys=config.control == "keys", stamped=config.stamped)
        where = config.base_url or "this node"
        who = f"{config.model} in {where}" if config.needs_model else "a schedule of prompts"
        self.get_logger().info(f"ready: {who}")
        return TransitionCallbackReturn.SUCCESS

    @reported
    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        config, camera, commands = self._config, self._camera, self._commands
        if config is None or camera is None or commands is None:
            raise LingbotError("the node is not configured", ErrorCode.NOT_ACTIVE)
        commands.open()
        activity = self._activity = Activity(self, camera, commands, config.image_timeout_s)
        if config.schedule:
            activity.follow(config.schedule)
        if self._model is not None and config.instruction:
            pilot = Pilot(
                self._model, config.instruction, config.control, config.limits, config.attempts, config.template
            )
            activity.drive(pilot, config.limits)
        if self._model is not None and config.film:
            activity.direct(Director(self._model, config.film), config.film_period_s)
        return super().on_activate(state)

    @reported
    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._end_activity()
        return super().on_deactivate(state)

    def _end_activity(self) -> None:
        activity, self._activity = self._activity, None
        if activity is not None:
            activity.end()

    def stop(self) -> None:
        """As the base's; the robot stops."""
        self._end_activity()
        parts = [part for part in (self._camera, self._commands) if part is not None]
        self._camera = self._commands = self._model = self._config = None
        for part in parts:
            run_alone(self.executor, self, part.destroy)

    def _check_parameters(self, wanted: Sequence[Parameter]) -> SetParametersResult:
        if self._config is not None and changed_values(wanted, parameters.PARAMETERS):
            return SetParametersResult(successful=False, reason="read at configure: clean up the node first")
        return checked(self, wanted, parameters.PARAMETERS, parameters.config_of)
