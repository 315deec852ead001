"""Weights in 8 bits: how far a linear and a whole model then are from the exact ones, and what they weigh."""

from pathlib import Path

import pytest
import torch

from lingbot_ros.checkpoints.weights import load_transformer, parameter_shapes
from lingbot_ros.model.attention import MaskedAttention
from lingbot_ros.model.quantized import WeightOnlyLinear, is_quantized, quantize
from lingbot_ros.model.rope import rope_tables
from lingbot_ros.model.transformer import CausalWorldTransformer, StepInputs
from test.support.released_layouts import CAMERA, random_weights, write_shards

STORAGES = [torch.int8, torch.float8_e4m3fn]


def error(found: torch.Tensor, exact: torch.Tensor) -> float:
    return float((found - exact).norm() / exact.norm())


@pytest.mark.parametrize(("storage", "limit"), zip(STORAGES, (0.01, 0.04), strict=True), ids=str)
def test_a_linear_with_rows_of_very_different_size(storage: torch.dtype, limit: float) -> None:
    torch.manual_seed(0)
    weight = torch.randn(64, 96) * torch.logspace(-4, 3, 64)[:, None]
    weight[5] = 0
    narrow = WeightOnlyLinear(96, 64, storage)
    narrow.weight.data, narrow.scale.data = quantize(weight, storage)
    narrow.bias.data = torch.randn(64)
    x = torch.randn(7, 96)
    exact = torch.nn.functional.linear(x, weight, narrow.bias)
    assert narrow.weight.element_size() == 1
    products, exact_products = narrow(x) - narrow.bias, exact - narrow.bias
    assert torch.equal(products[:, 5], torch.zeros(7))
    for row in (0, 20, 40, 63):
        assert error(products[:, row], exact_products[:, row]) < 2 * limit


def test_which_parameters_are_narrow() -> None:
    names = [name for name in parameter_shapes(CAMERA) if is_quantized(name)]
    assert len(names) == CAMERA.num_layers * (4 + 4 + 2 + 4)
    assert "blocks.0.cam_scale_layer.weight" in names and "blocks.1.ffn.2.weight" in names
    assert not any("norm" in name or name.startswith(("head", "patch", "time", "text")) for name in names)


def velocity(model: CausalWorldTransformer) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    with torch.inference_mode():
        inputs = StepInputs(
            torch.randn(1, 16, 2, 4, 4, generator=generator),
            torch.randn(1, 20, 2, 4, 4, generator=generator),
            model.embed_time(torch.full((1, 2), 750.0)),
            *rope_tables(torch.arange(2), 2, 2, 128),
            model.encode_rays(torch.randn(1, 384, 2, 4, 4, generator=generator)),
            model.encode_text(torch.randn(1, 512, 48, generator=generator)),
        )
        return model.predict(inputs, [MaskedAttention(None)] * 2)


@pytest.mark.parametrize(("storage", "limit"), zip(STORAGES, (0.02, 0.05), strict=True), ids=str)
def test_a_model_stays_close_and_weighs_a_quarter(tmp_path: Path, storage: torch.dtype, limit: float) -> None:
    files = tuple(sorted(write_shards(tmp_path, random_weights()).glob("*.safetensors")))
    exact = load_transformer(CAMERA, files, torch.float32, "cpu")
    narrow = load_transformer(CAMERA, files, torch.float32, "cpu", storage)
    assert 0 < error(velocity(narrow), velocity(exact)) < limit
    sizes = [sum(p.numel() * p.element_size() for p in m.blocks.parameters()) for m in (narrow, exact)]
    assert sizes[0] < 0.28 * sizes[1]


@pytest.mark.parametrize("storage", STORAGES, ids=str)
def test_arithmetic_in_bf16(tmp_path: Path, storage: torch.dtype) -> None:
    files = tuple(sorted(write_shards(tmp_path, random_weights()).glob("*.safetensors")))
    exact = load_transformer(CAMERA, files, torch.float32, "cpu")
    narrow = load_transformer(CAMERA, files, torch.bfloat16, "cpu", storage)
    assert error(velocity(narrow), velocity(exact)) < 0.06
