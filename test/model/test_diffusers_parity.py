"""Our transformer without a camera against diffusers' Wan transformer (model_spec 1.6, 3.5-3.7)."""

import torch
from diffusers import WanTransformer3DModel

from lingbot_ros.checkpoints.names import styled_name
from lingbot_ros.model.attention import MaskedAttention
from lingbot_ros.model.config import TextConfig, TransformerConfig
from lingbot_ros.model.rope import rope_tables
from lingbot_ros.model.transformer import ControlEmbedding, StepInputs
from test.support.tiny_model import random_transformer

CONFIG = TransformerConfig(dim=256, ffn_dim=96, num_layers=3, num_heads=2, text=TextConfig(24, 12))


def test_full_attention_without_a_camera() -> None:
    """Every parameter is random, so that the swapped names of `norm2` and `norm3` would show."""
    ours = random_transformer(CONFIG)
    theirs = WanTransformer3DModel(
        num_attention_heads=2,
        attention_head_dim=128,
        in_channels=36,
        out_channels=16,
        text_dim=24,
        freq_dim=256,
        ffn_dim=96,
        num_layers=3,
        rope_max_seq_len=64,
    )
    weights = {styled_name(name, "diffusers"): tensor for name, tensor in ours.state_dict().items()}
    theirs.load_state_dict(weights, strict=True)
    theirs.eval().requires_grad_(False)
    torch.manual_seed(0)
    latent, condition = torch.randn(1, 16, 3, 6, 8), torch.randn(1, 20, 3, 6, 8)
    text = torch.randn(1, 12, 24)
    for time in (999.0, 500.0, 0.0):
        inputs = StepInputs(
            latent,
            condition,
            ours.embed_time(torch.full((1, 3), time)),
            *rope_tables(torch.arange(3), 3, 4, 128),
            ControlEmbedding(),
            ours.encode_text(text),
        )
        velocity = ours.predict(inputs, [MaskedAttention(None)] * 3)
        expected = theirs(torch.cat((latent, condition), dim=1), torch.tensor([time]), text, return_dict=False)[0]
        assert expected.std() > 0.1
        assert (velocity - expected).abs().max() < 1e-4, time
