"""The rename maps (model_spec 1.6), held against the classes that own the names."""

from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKLWan, WanTransformer3DModel
from transformers import UMT5Config, UMT5EncoderModel

from lingbot_ros.checkpoints.names import (
    autoencoder_name,
    released_name,
    released_names,
    style_of,
    styled_name,
    text_encoder_name,
)
from lingbot_ros.checkpoints.weights import parameter_shapes
from lingbot_ros.model.config import RayControlConfig, TextConfig, TransformerConfig

CONFORMANCE = Path(__file__).parents[1] / "data" / "conformance"

CAMERA = TransformerConfig(
    dim=256, ffn_dim=64, num_layers=2, num_heads=2, text=TextConfig(48, 16), control=RayControlConfig()
)
PLAIN = TransformerConfig(dim=256, ffn_dim=64, num_layers=2, num_heads=2, text=TextConfig(48, 16))


@pytest.mark.parametrize("style", ["sglang", "diffusers"])
def test_every_name_has_exactly_one_counterpart_and_comes_back(style: str) -> None:
    names = list(parameter_shapes(CAMERA if style == "sglang" else PLAIN))
    styled = [styled_name(name, style) for name in names]
    assert len(set(styled)) == len(names) and style_of(styled) == style
    assert [released_name(name, style) for name in styled] == names
    assert released_names(styled) == dict(zip(styled, names, strict=True))


def test_released_names_are_left_alone() -> None:
    names = list(parameter_shapes(CAMERA))
    assert released_names(names) == {name: name for name in names}


@pytest.mark.parametrize(
    ("style", "there", "released"),
    [
        ("diffusers", "blocks.3.norm2.weight", "blocks.3.norm3.weight"),
        ("diffusers", "blocks.3.attn1.to_out.0.bias", "blocks.3.self_attn.o.bias"),
        ("diffusers", "scale_shift_table", "head.modulation"),
        ("sglang", "blocks.3.self_attn_residual_norm.norm.bias", "blocks.3.norm3.bias"),
        ("sglang", "blocks.3.cam_conditioner.cam_injector.fc_out.weight", "blocks.3.cam_injector_layer2.weight"),
        ("sglang", "blocks.12.scale_shift_table", "blocks.12.modulation"),
    ],
)
def test_spec_1_6(style: str, there: str, released: str) -> None:
    assert released_name(there, style) == released


def test_the_diffusers_transformer_has_our_names_and_shapes() -> None:
    with torch.device("meta"):
        theirs = WanTransformer3DModel(
            num_attention_heads=2, attention_head_dim=128, in_channels=36, out_channels=16, text_dim=48, freq_dim=256,
            ffn_dim=64, num_layers=2, qk_norm="rms_norm_across_heads", cross_attn_norm=True,
        )  # fmt: skip
    names = released_names(theirs.state_dict())
    shapes = {names[name]: tuple(tensor.shape) for name, tensor in theirs.state_dict().items()}
    assert shapes == parameter_shapes(PLAIN)


def test_the_official_autoencoder_loads_into_the_diffusers_one() -> None:
    weights = np.load(CONFORMANCE / "vae_weights.npz")
    model = AutoencoderKLWan(base_dim=8)
    model.load_state_dict({autoencoder_name(n): torch.from_numpy(weights[n]) for n in weights.files}, strict=True)


def test_the_original_text_encoder_names_fit_transformers() -> None:
    config = UMT5Config(
        vocab_size=32, d_model=8, d_kv=4, d_ff=16, num_layers=2, num_heads=2, feed_forward_proj="gated-gelu"
    )
    expected = {name for name in UMT5EncoderModel(config).state_dict() if name != "encoder.embed_tokens.weight"}
    blocks = [
        "norm1",
        *(f"attn.{x}" for x in "qkvo"),
        "pos_embedding.embedding",
        "norm2",
        "ffn.gate.0",
        "ffn.fc1",
        "ffn.fc2",
    ]
    names = [
        "token_embedding.weight",
        "norm.weight",
        *(f"blocks.{i}.{part}.weight" for i in range(2) for part in blocks),
    ]
    assert {text_encoder_name(name) for name in names} == expected
