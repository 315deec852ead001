"""Parameters of the agent node: declared with meaning and range, then read once into a frozen config."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from lingbot_ros.agent.decision import CONTROLS, Control, Limits
from lingbot_ros.agent.pilot import TEMPLATE, check_template
from lingbot_ros.control.prompts import PromptEvent, read_prompts
from lingbot_ros.errors import InputError
from lingbot_ros.input_files.regular import read_text
from lingbot_ros.nodes.parameter import Parameter

_SCHEDULE_HZ = 1000.0

PARAMETERS = (
    Parameter("model", "", "vision-language model: a folder or a name in the cache of Hugging Face, for transformers; "
              "with base_url the name that the endpoint knows"),
    Parameter("base_url", "", "endpoint that speaks OpenAI's protocol, such as http://localhost:8000/v1; empty = the "
              "model runs in this node"),
    Parameter("api_key_variable", "", "environment variable that holds the endpoint's key, which is never logged; "
              "empty = no key"),
    Parameter("answer_timeout", 60.0, "time limit for one answer of the endpoint, s", 0.1, 3600.0),
    Parameter("image_timeout", 5.0, "time without an image after which the pilot waits, standing still, s", 0.1,
              3600.0),
    Parameter("pilot.instruction", "", "what the robot is to do, for the model; empty = nobody drives"),
    Parameter("pilot.control", "keys", "what the model decides: keys (topic keys), velocity or waypoints (cmd_vel)",
              choices=CONTROLS),
    Parameter("pilot.template", "", "file with the text that the model is asked, with the fields {instruction}, "
              "{duration}, {speed}, {turn_rate}, {last} and {schema}; empty = the built-in one"),
    Parameter("pilot.attempts", 2, "how often the model may answer, until an answer can be used", 1, 100),
    Parameter("pilot.max_duration", 3.0, "longest decision, s", 0.1, 3600.0),
    Parameter("pilot.max_speed", 0.8, "m/s", 0.001, 1000.0),
    Parameter("pilot.max_turn_rate", 0.56, "rad/s", 0.001, 1000.0),
    Parameter("pilot.max_acceleration", 2.0, "m/s^2", 0.001, 10_000.0),
    Parameter("pilot.max_turn_acceleration", 4.0, "rad/s^2", 0.001, 10_000.0),
    Parameter("cmd_vel.stamped", True, "cmd_vel is a TwistStamped; false: a Twist"),
    Parameter("director.schedule", "", "YAML file of prompts, one entry a line: - {time_s: 5, prompt: it rains}; times "
              "count from the activation; empty = none"),
    Parameter("director.instruction", "", "what the film is about, for the model; empty = no model writes prompts"),
    Parameter("director.period", 20.0, "time between two prompts of the model, s", 0.5, 86_400.0),
)  # fmt: skip


@dataclass(frozen=True)
class AgentConfig:
    """The complete configuration of the node; see PARAMETERS. schedule: frames are milliseconds."""

    model: str
    base_url: str
    api_key_variable: str
    answer_timeout_s: float
    image_timeout_s: float
    instruction: str
    control: Control
    template: str
    attempts: int
    limits: Limits
    stamped: bool
    schedule: tuple[PromptEvent, ...]
    film: str
    film_period_s: float

    @property
    def needs_model(self) -> bool:
        """Whether anybody asks a model."""
        return bool(self.instruction or self.film)


def config_of(values: Mapping[str, Any]) -> AgentConfig:
    """The configuration of the values of all PARAMETERS by name.

    Raises InputError with the parameter, its value and the accepted values.
    """
    for parameter in PARAMETERS:
        parameter.check(values[parameter.name])
    template = TEMPLATE
    if values["pilot.template"]:
        template = read_text(Path(values["pilot.template"]), "pilot.template")
        check_template(template)
    schedule: list[PromptEvent] = []
    if values["director.schedule"]:
        schedule = read_prompts(Path(values["director.schedule"]), "director.schedule", _SCHEDULE_HZ)
    return AgentConfig(
        model=str(values["model"]),
        base_url=str(values["base_url"]),
        api_key_variable=str(values["api_key_variable"]),
        answer_timeout_s=float(values["answer_timeout"]),
        image_timeout_s=float(values["image_timeout"]),
        instruction=str(values["pilot.instruction"]),
        control=cast(Control, values["pilot.control"]),
        template=template,
        attempts=int(values["pilot.attempts"]),
        limits=Limits(
            duration_s=float(values["pilot.max_duration"]),
            speed_m_s=float(values["pilot.max_speed"]),
            turn_rate_rad_s=float(values["pilot.max_turn_rate"]),
            acceleration_m_s2=float(values["pilot.max_acceleration"]),
            turn_acceleration_rad_s2=float(values["pilot.max_turn_acceleration"]),
        ),
        stamped=bool(values["cmd_vel.stamped"]),
        schedule=tuple(schedule),
        film=str(values["director.instruction"]),
        film_period_s=float(values["director.period"]),
    )


def require_work(config: AgentConfig) -> None:
    """Raise InputError where there is nothing to do, or no model for what there is."""
    if config.needs_model and not config.model:
        raise InputError("model", "an empty text", "give a vision-language model, which an instruction needs")
    if not config.needs_model and not config.schedule:
        fix = "give pilot.instruction, director.instruction or director.schedule"
        raise InputError("pilot.instruction", "an empty text", fix)
