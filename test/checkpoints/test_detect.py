"""Full-size state dictionaries by name and shape: published totals (model_spec 1.1, 1.5); a wrong tensor is refused."""

import math
from dataclasses import replace

import pytest

from lingbot_ros.checkpoints.detect import detect_architecture, ray_channels
from lingbot_ros.checkpoints.weights import check_names_and_shapes, parameter_shapes
from lingbot_ros.errors import ModelError
from lingbot_ros.model.config import RayControlConfig, TextConfig, TransformerConfig

CAM_14B = TransformerConfig(
    dim=5120, ffn_dim=13824, num_layers=40, num_heads=40, text=TextConfig(), control=RayControlConfig(6)
)
ACT_14B = replace(CAM_14B, control=RayControlConfig(7))
CAM_1_3B = replace(CAM_14B, dim=1536, ffn_dim=8960, num_layers=30, num_heads=12)


@pytest.mark.parametrize(
    ("config", "parameters", "tensors"),
    [(CAM_14B, 18_544_332_864, 1421), (ACT_14B, 18_545_643_584, 1421), (CAM_1_3B, 1_709_502_016, 1071)],
    ids=["14B-cam", "14B-act", "1.3B"],
)
def test_published_totals(config: TransformerConfig, parameters: int, tensors: int) -> None:
    shapes = parameter_shapes(config)
    assert sum(math.prod(shape) for shape in shapes.values()) == parameters
    assert len(shapes) == tensors
    check_names_and_shapes(shapes, config, "checkpoint")
    assert detect_architecture(shapes) == config


@pytest.mark.parametrize("change", ["missing", "extra", "transposed"])
@pytest.mark.parametrize("config", [CAM_14B, CAM_1_3B], ids=["14B", "1.3B"])
def test_one_wrong_tensor_is_named(config: TransformerConfig, change: str) -> None:
    shapes, name = parameter_shapes(config), "blocks.17.ffn.2.weight"
    if change == "missing":
        del shapes[name]
    elif change == "extra":
        name = f"blocks.{config.num_layers}.ffn.2.weight"
        shapes[name] = (1,)
    else:
        shapes[name] = shapes[name][::-1]
    with pytest.raises(ModelError, match=name):
        check_names_and_shapes(shapes, config, "checkpoint")


@pytest.mark.parametrize(("width", "channels"), [(1536, 6), (1792, 7)])
def test_control_kind_from_its_weight(width: int, channels: int) -> None:
    assert ray_channels({"patch_embedding_wancamctrl.weight": (5120, width)}, (1, 2, 2)) == channels


def test_a_plain_video_model_is_told_apart() -> None:
    shapes = {name: shape for name, shape in parameter_shapes(CAM_1_3B).items() if "wancamctrl" not in name}
    with pytest.raises(ModelError, match="without camera control"):
        detect_architecture(shapes)
    with pytest.raises(ModelError, match="1664"):
        ray_channels({"patch_embedding_wancamctrl.weight": (5120, 1664)}, (1, 2, 2))
