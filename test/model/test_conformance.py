"""Our transformer on the released key names against numbers from the official implementation (model_spec 3.5-3.7)."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from lingbot_ros.model.attention import MaskedAttention
from lingbot_ros.model.config import RayControlConfig, TextConfig, TransformerConfig
from lingbot_ros.model.embedding import sinusoid
from lingbot_ros.model.rope import rope_tables
from lingbot_ros.model.transformer import CausalWorldTransformer, ControlEmbedding, StepInputs

DATA = Path(__file__).parents[1] / "data" / "conformance"
CONFIG = TransformerConfig(
    dim=256, ffn_dim=64, num_layers=1, num_heads=2, text=TextConfig(48, 16), control=RayControlConfig()
)


@pytest.fixture(scope="module")
def model() -> CausalWorldTransformer:
    model = CausalWorldTransformer(CONFIG).eval().requires_grad_(False)
    weights = {name: torch.from_numpy(array) for name, array in np.load(DATA / "dit_b_weights.npz").items()}
    model.load_state_dict(weights, strict=True)
    return model


@pytest.mark.parametrize(
    ("expected", "control", "t"),
    [
        ("velocity_moving", "control_moving", 978.0),
        ("velocity_still", "control_still_one_frame", 978.0),
        ("velocity_nocamera", None, 978.0),
        ("velocity_moving_t0", "control_moving", 0.0),
    ],
)
def test_velocity(model: CausalWorldTransformer, expected: str, control: str | None, t: float) -> None:
    io = load_file(DATA / "dit_b_io.safetensors")
    frames, height, width = io["latent"].shape[1:]
    text = torch.zeros(1, 16, 48)
    text[0, : len(io["text"])] = io["text"]
    rays = io[control] if control else None
    if rays is not None and rays.ndim == 3:
        rays = rays[:, None].repeat(1, frames, 1, 1)
    inputs = StepInputs(
        io["latent"][None],
        io["y"][None],
        model.embed_time(torch.full((1, frames), t)),
        *rope_tables(torch.arange(frames), height // 2, width // 2, 128),
        model.encode_rays(rays[None]) if rays is not None else ControlEmbedding(),
        model.encode_text(text),
    )
    velocity = model.predict(inputs, [MaskedAttention(None)])
    assert (velocity[0] - io[expected]).abs().max() < 2e-5


def test_golden_time_sinusoid() -> None:
    features = sinusoid(torch.tensor([999.0, 0.0]), 256)
    expected = [0.999650, 0.963782, -0.398992]
    assert torch.allclose(features[0, :3], torch.tensor(expected, dtype=torch.float64), atol=1e-6)
    expected = [-0.026461, -0.266690, -0.916955]
    assert torch.allclose(features[0, 128:131], torch.tensor(expected, dtype=torch.float64), atol=1e-6)
    assert abs(features[0, 127].item() - 0.994243) < 1e-6
    assert torch.equal(features[1], torch.cat((torch.ones(128), torch.zeros(128))).double())
