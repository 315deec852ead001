"""The text encoder and its tokenizer from their files."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lingbot_ros.checkpoints.names import text_encoder_name
from lingbot_ros.checkpoints.state_check import check_state
from lingbot_ros.checkpoints.tensors import read_tensors
from lingbot_ros.errors import ErrorCode, ModelError
from lingbot_ros.model.config import TextConfig
from lingbot_ros.model.text_encoder import TextEncoder


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
