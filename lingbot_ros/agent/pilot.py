"""The pilot: looks at an image and decides what the robot does in the next seconds."""

import json
import string

from lingbot_ros.agent.decision import Control, Decision, Limits, read_decision, schema
from lingbot_ros.agent.language_model import Image, LanguageModel
from lingbot_ros.checkpoints.vision_language import last_object
from lingbot_ros.errors import InputError, LingbotError

TEMPLATE = """\
You drive a robot. The image is what its camera sees now.
Your task: {instruction}
Decide what the robot does next, for at most {duration:g} s. It moves at up to {speed:g} m/s and turns at up to
{turn_rate:g} rad/s. Then you see the next image and decide again.
Your last decision: {last}
Answer with one JSON object that follows this schema, and nothing else:
{schema}
"""
_FIELDS = {"instruction", "duration", "speed", "turn_rate", "last", "schema"}
_REMINDER = "\nYour answer could not be used. {fault}. Answer again, with the JSON object only."


class Pilot:
    """Asks a model until its answer can be used, `attempts` times at most."""

    def __init__(
        self,
        model: LanguageModel,
        instruction: str,
        control: Control,
        limits: Limits,
        attempts: int = 2,
        template: str = TEMPLATE,
    ) -> None:
        """template: text with the fields of `TEMPLATE`, of which schema is needed. Raises InputError for another."""
        check_template(template)
        self._model, self._instruction, self._control = model, instruction, control
        self._limits, self._attempts, self._template = limits, attempts, template
        self._last = "none"

    def decide(self, image: Image) -> Decision:
        """image: uint8 [H, W, 3] RGB. Raises LingbotError when the model does not answer, or not as it is asked to."""
        text, fault = self._question(), ""
        for _ in range(self._attempts):
            said = self._model.answer([image], text + fault, schema(self._control))
            answer = last_object(said)
            try:
                if answer is None:
                    raise InputError("answer", said or "nothing", "answer with a JSON object")
                decision = read_decision(answer, self._control, self._limits)
            except InputError as error:
                refused, fault = error, _REMINDER.format(fault=error)
                continue
            self._last = json.dumps(answer)
            return decision
        raise LingbotError(f"the model gave no answer that can be used in {self._attempts} attempts: {refused}")

    def _question(self) -> str:
        return self._template.format(
            instruction=self._instruction,
            duration=self._limits.duration_s,
            speed=self._limits.speed_m_s,
            turn_rate=self._limits.turn_rate_rad_s,
            last=self._last,
            schema=json.dumps(schema(self._control)),
        )


def check_template(template: str) -> None:
    """Raise InputError unless the text has {schema}, and no field that `TEMPLATE` lacks."""
    try:
        fields = {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}
    except ValueError as error:
        raise InputError("pilot.template", "a text with single braces", "write {{ and }} for braces") from error
    if fields - _FIELDS or "schema" not in fields:
        unknown = ", ".join(sorted(fields - _FIELDS)) or "no field schema"
        raise InputError("pilot.template", unknown, f"use the fields {', '.join(sorted(_FIELDS))}; schema is needed")
