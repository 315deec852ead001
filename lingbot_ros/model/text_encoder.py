"""Prompts -> features of UMT5-XXL, zero-padded to the length that the transformer attends to (spec 3.2)."""

import html
import re
from collections import OrderedDict
from pathlib import Path
from typing import Any

import ftfy
import torch
from torch import Tensor

from lingbot_ros.errors import ErrorCode, ModelError
from lingbot_ros.model.config import TextConfig
from lingbot_ros.model.families.names import text_encoder_name
from lingbot_ros.model.families.tensors import read_tensors
from lingbot_ros.model.state_check import check_state

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
    resolved = html.unescape(html.unescape(ftfy.fix_text(prompt)))
    return re.sub(r"\s+", " ", resolved).strip()


def load_text_encoder(
    weights: Path, tokenizer: Path, config: TextConfig, device: str, dtype: torch.dtype
) -> TextEncoder:
    """From `models_t5_umt5-xxl-enc-bf16.pth` or a transformers folder, and a tokenizer folder.

    Sizes are read from the weights. Raises ModelError for files that are damaged or belong to another encoder.
    """
    from transformers import AutoTokenizer, UMT5EncoderModel  # noqa: PLC0415  - seconds to import

    stored = dict(read_tensors(weights))
    if "token_embedding.weight" in stored:
        stored = {text_encoder_name(name): tensor for name, tensor in stored.items()}
    shared = stored.pop("encoder.embed_tokens.weight", None)
    if "shared.weight" not in stored and shared is not None:
        stored["shared.weight"] = shared
    with torch.device("meta"):
        network = UMT5EncoderModel(_umt5_config(stored, config, weights))
    expected = {name: tensor for name, tensor in network.state_dict().items() if "embed_tokens" not in name}
    check_state(stored, expected, "text encoder", weights)
    state = {name: tensor.to(device, dtype, copy=True) for name, tensor in stored.items()}
    network.load_state_dict(state, strict=False, assign=True)
    network.encoder.embed_tokens = network.shared
    try:
        words = AutoTokenizer.from_pretrained(str(tokenizer), local_files_only=True)
    except (OSError, ValueError) as error:
        raise ModelError(
            f"tokenizer: {tokenizer} cannot be read ({str(error).splitlines()[0]}); download the model again",
            ErrorCode.BAD_WEIGHTS,
        ) from error
    return TextEncoder(network.requires_grad_(False).eval(), words, config, device)


def _umt5_config(stored: dict[str, Tensor], config: TextConfig, path: Path) -> Any:
    from transformers import UMT5Config  # noqa: PLC0415

    block = "encoder.block.0.layer"
    try:
        vocabulary, width = stored["shared.weight"].shape
        feed_forward = stored[f"{block}.1.DenseReluDense.wi_0.weight"].shape[0]
        buckets, heads = stored[f"{block}.0.SelfAttention.relative_attention_bias.weight"].shape
        inner = stored[f"{block}.0.SelfAttention.q.weight"].shape[0]
    except KeyError as error:
        raise ModelError(f"text encoder: {path} has no {error.args[0]}; use the UMT5 weights of this model") from error
    if width != config.width:
        raise ModelError(f"text encoder: {path} gives features of width {width}, the model takes {config.width}")
    return UMT5Config(
        vocab_size=vocabulary,
        d_model=width,
        d_ff=feed_forward,
        d_kv=inner // heads,
        num_heads=heads,
        num_layers=sum(name.endswith("SelfAttention.q.weight") for name in stored),
        relative_attention_num_buckets=buckets,
        feed_forward_proj="gated-gelu",
        dropout_rate=0.0,
    )
