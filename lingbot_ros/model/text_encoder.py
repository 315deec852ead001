"""Prompts -> features of UMT5-XXL, zero-padded to the length that the transformer attends to (model_spec 3.2)."""

import html
import re
from collections import OrderedDict
from typing import Any

import torch
from torch import Tensor

from lingbot_ros.model.config import TextConfig

_KEPT_PROMPTS = 64
"""Features of this many prompts are kept: 4 MB each in bf16."""


class TextEncoder:
    """Encodes each prompt once."""

    def __init__(self, network: Any, tokenizer: Any, config: TextConfig, device: str) -> None:
        """`network` is a `UMT5EncoderModel` on the device, `tokenizer` what belongs to it."""
        self._network, self._tokenizer, self._config, self._device = network, tokenizer, config, device
        self._features: OrderedDict[str, Tensor] = OrderedDict()

    @torch.inference_mode()
    def encode(self, prompt: str) -> Tensor:
        """Features [1, length, width] in the network's dtype; those of padding are 0, as in training."""
        text = clean_prompt(prompt)
        if text not in self._features:
            tokens = self._tokenizer(
                text,
                max_length=self._config.length,
                padding="max_length",
                truncation=True,
                add_special_tokens=True,
                return_tensors="pt",
            ).to(self._device)
            features = self._network(tokens.input_ids, attention_mask=tokens.attention_mask).last_hidden_state
            # Zero by choice, not by multiplication: padded positions may hold anything.
            self._features[text] = features.masked_fill(tokens.attention_mask[..., None] == 0, 0)
            if len(self._features) > _KEPT_PROMPTS:
                self._features.popitem(last=False)
        self._features.move_to_end(text)
        return self._features[text]


def clean_prompt(prompt: str) -> str:
    """Repaired Unicode, HTML entities resolved (also those escaped twice), one space between words."""
    import ftfy  # noqa: PLC0415  - models without text do without

    resolved = html.unescape(html.unescape(ftfy.fix_text(prompt)))
    return re.sub(r"\s+", " ", resolved).strip()
