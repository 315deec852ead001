"""Vision-language models of transformers: images and a text in, a text out."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.errors import InputError, ModelError


class VisionLanguageModel:
    """A model and its processor that are on this disk; it answers greedily, so that it repeats itself.

    name: a folder as transformers saves one, or the name of a model that the cache of Hugging Face holds; nothing is
    downloaded. what: the field to name in errors. Raises InputError for no such model, ModelError for one of another
    kind.
    """

    def __init__(self, name: str, what: str = "model") -> None:
        download = f"give a folder with a model of transformers, or download it first: hf download {name}"
        if Path(name).is_absolute() and not Path(name).exists():
            raise InputError(what, name, download)
        from transformers import AutoModelForImageTextToText, AutoProcessor  # noqa: PLC0415  - seconds to import

        try:
            self._processor: Any = AutoProcessor.from_pretrained(name, local_files_only=True)
            self._network: Any = AutoModelForImageTextToText.from_pretrained(name, local_files_only=True).eval()
        except (OSError, ValueError, RuntimeError, ImportError) as error:
            if not Path(name).exists():
                raise InputError(what, name, download) from error
            raise ModelError(f"{what}: {name} is no model that reads images and writes text ({error})") from error

    def answer(self, images: Sequence[NDArray[np.uint8]], text: str, most_tokens: int) -> str:
        """What it says to the images, each uint8 [H, W, 3] RGB, and the text after them."""
        import torch  # noqa: PLC0415

        content = [*({"type": "image"} for _ in images), {"type": "text", "text": text}]
        prompt = self._processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
        inputs = self._processor(text=prompt, images=list(images), return_tensors="pt")
        with torch.inference_mode():
            tokens = self._network.generate(**inputs, max_new_tokens=most_tokens, do_sample=False)
        said: str = self._processor.decode(tokens[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
        return said


def last_object(text: str) -> dict[str, Any] | None:
    """The last JSON object in an answer; None where there is none."""
    decoder, found, at = json.JSONDecoder(), None, text.find("{")
    while at >= 0:
        try:
            found, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            end = at + 1
        at = text.find("{", end)
    return found
