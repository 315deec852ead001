"""The director: writes what happens in the imagined world, as prompts, by a model that looks at it."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lingbot_ros.agent.language_model import Image, LanguageModel
from lingbot_ros.checkpoints.vision_language import last_object
from lingbot_ros.errors import InputError
from lingbot_ros.sendable import PROMPT_BYTES, require_text

_LONGEST_PROMPT = 2000
_TEMPLATE = """\
You direct a film that a world model imagines. The image is its newest frame.
Your task: {instruction}
The prompt so far: {last}
Write the prompt of the next seconds: one description of what the scene looks like and what happens in it.
Answer with one JSON object that follows this schema, and nothing else:
{schema}
"""


class _Event(BaseModel):
    model_config = ConfigDict(extra="forbid")
    prompt: str = Field(min_length=1, max_length=_LONGEST_PROMPT)


class Director:
    """Keeps what it wrote last, so that the film holds together."""

    def __init__(self, model: LanguageModel, instruction: str) -> None:
        self._model, self._instruction, self._last = model, instruction, "none"

    def next_prompt(self, image: Image) -> str:
        """image: uint8 [H, W, 3] RGB. Raises LingbotError when the model does not answer, or not as it is asked to."""
        form: dict[str, Any] = _Event.model_json_schema()
        text = _TEMPLATE.format(instruction=self._instruction, last=self._last, schema=form)
        answer = last_object(self._model.answer([image], text, form))
        try:
            prompt = _Event.model_validate(answer).prompt
        except ValidationError as error:
            raise InputError("answer", answer, f"follow the schema: {error.errors()[0]['msg']}") from error
        self._last = require_text("prompt", prompt, PROMPT_BYTES)
        return self._last
