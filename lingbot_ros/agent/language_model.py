"""The models that an agent asks: one on this disk, or one behind an endpoint that speaks OpenAI's protocol."""

import base64
import json
import os
from collections.abc import Sequence
from http.client import HTTPException
from typing import Any, Protocol
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import cv2
import numpy as np
from numpy.typing import NDArray

from lingbot_ros.checkpoints.vision_language import VisionLanguageModel
from lingbot_ros.compat import have
from lingbot_ros.errors import EngineError, ErrorCode, InputError, LingbotError

Image = NDArray[np.uint8]

_MOST_TOKENS = 400
_MOST_BYTES = 2**20


class LanguageModel(Protocol):
    """Looks at images and answers a text."""

    def answer(self, images: Sequence[Image], text: str, schema: dict[str, Any]) -> str:
        """images: uint8 [H, W, 3] RGB. schema: of the JSON object that is asked for. Raises LingbotError."""


class LocalModel:
    """A model of transformers that is on this disk. The schema stands in the text; the model is not held to it."""

    def __init__(self, name: str) -> None:
        if not have("transformers"):
            raise EngineError("model: transformers is not installed; install lingbot_ros[lingbot], or set base_url")
        self._model = VisionLanguageModel(name)

    def answer(self, images: Sequence[Image], text: str, schema: dict[str, Any]) -> str:
        """As `LanguageModel`."""
        return self._model.answer(images, text, _MOST_TOKENS)


class Endpoint:
    """`base_url`/chat/completions of vLLM, llama.cpp, Ollama and their like.

    key_variable: the environment variable that holds the key; empty = none. The key appears in no message.
    """

    def __init__(self, base_url: str, model: str, key_variable: str, timeout_s: float) -> None:
        """Raises InputError for an address or a variable that cannot be used; the endpoint is not asked yet."""
        address = urlsplit(base_url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise InputError("base_url", base_url, "give an address such as http://localhost:8000/v1")
        if key_variable and not os.environ.get(key_variable):
            raise InputError("api_key_variable", key_variable, "set this environment variable to the key")
        self._base_url, self._model, self._timeout_s = base_url, model, timeout_s
        self._key = os.environ[key_variable] if key_variable else ""

    def answer(self, images: Sequence[Image], text: str, schema: dict[str, Any]) -> str:
        """As `LanguageModel`; the endpoint is asked to hold the model to the schema."""
        content = [*({"type": "image_url", "image_url": {"url": _data_url(image)}} for image in images),
                   {"type": "text", "text": text}]  # fmt: skip
        body = {
            "model": self._model,
            "messages": [{"role": "user", "content": content}],
            "max_tokens": _MOST_TOKENS,
            "temperature": 0.0,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": schema, "strict": True},
            },
        }
        try:
            said = self._post(body)["choices"][0]["message"]["content"]
        except (OSError, HTTPException, ValueError, LookupError, TypeError) as error:
            reason = f"{type(error).__name__}: {error}"
            if self._key:
                reason = reason.replace(self._key, "***")
            raise LingbotError(f"base_url: {self._base_url} did not answer ({reason})", ErrorCode.TIMED_OUT) from None
        return said if isinstance(said, str) else ""

    def _post(self, body: dict[str, Any]) -> Any:
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {self._key}"} if self._key else {})
        request = Request(f"{self._base_url.rstrip('/')}/chat/completions", json.dumps(body).encode(), headers)
        with urlopen(request, timeout=self._timeout_s) as reply:
            return json.loads(reply.read(_MOST_BYTES))


def _data_url(image: Image) -> str:
    written, data = cv2.imencode(".png", np.ascontiguousarray(image[..., ::-1]))
    assert written
    return "data:image/png;base64," + base64.b64encode(data.tobytes()).decode()
