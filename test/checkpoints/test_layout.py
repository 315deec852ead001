"""Published file layouts (model_spec 1.3) are found and load bit for bit; incomplete or ambiguous ones are refused."""

import json
from pathlib import Path

import pytest
import torch

from lingbot_ros.checkpoints.layout import HIGH_NOISE_FOLDERS, find_transformer, weight_files
from lingbot_ros.checkpoints.names import styled_name
from lingbot_ros.checkpoints.weights import load_transformer
from lingbot_ros.errors import ModelError
from test.support.released_layouts import CAMERA, random_weights, write_shards

ORIGINAL_CONFIG = {"model_type": "i2v", "dim": 128, "ffn_dim": 96, "num_heads": 1, "num_layers": 2, "in_dim": 36}


def load(files: tuple[Path, ...]) -> dict[str, torch.Tensor]:
    return load_transformer(CAMERA, files, torch.float32, "cpu").state_dict()


def assert_same(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


@pytest.mark.parametrize(
    ("folder", "stem", "index"),
    [
        ("high_noise_model", "diffusion_pytorch_model", "diffusion_pytorch_model.safetensors.index.json"),
        ("lingbot_world_fast", "diffusion_pytorch_model", "diffusion_pytorch_model.safetensors.index.json"),
        ("transformers", "model", "diffusion_pytorch_model.safetensors.index.json"),
        ("transformer_causal", "model", "diffusion_pytorch_model.safetensors.index.json"),
        ("transformer", "diffusion_pytorch_model", "diffusion_pytorch_model.safetensors.index.json"),
        ("", "model", "model.safetensors.index.json"),
        ("", "model", None),
    ],
)
def test_published_layouts(tmp_path: Path, folder: str, stem: str, index: str | None) -> None:
    weights = random_weights()
    write_shards(tmp_path / folder, weights, stem=stem, index=index)
    (tmp_path / "config.json").write_text(json.dumps(ORIGINAL_CONFIG))
    folders = HIGH_NOISE_FOLDERS if folder == "high_noise_model" else None
    assert_same(load(find_transformer(tmp_path, folders) if folders else find_transformer(tmp_path)), weights)


@pytest.mark.parametrize("style", ["sglang"])
def test_renamed_tensors_load_under_their_released_names(tmp_path: Path, style: str) -> None:
    weights = random_weights()
    write_shards(tmp_path, {styled_name(name, style): tensor for name, tensor in weights.items()})
    assert_same(load(find_transformer(tmp_path)), weights)


def test_an_incomplete_download_names_the_missing_shard(tmp_path: Path) -> None:
    write_shards(tmp_path, random_weights())
    (tmp_path / "diffusion_pytorch_model-00002-of-00003.safetensors").unlink()
    with pytest.raises(ModelError, match="00002-of-00003.*missing.*1 of 3"):
        find_transformer(tmp_path)
    (tmp_path / "diffusion_pytorch_model.safetensors.index.json").unlink()
    with pytest.raises(ModelError, match="00002-of-00003.*one of 3 shards"):
        find_transformer(tmp_path)


def test_two_models_in_a_folder_are_not_guessed_between(tmp_path: Path) -> None:
    write_shards(tmp_path, random_weights(), count=1, stem="a", index=None)
    write_shards(tmp_path, random_weights(), count=1, stem="b", index=None)
    with pytest.raises(ModelError, match="several models"):
        weight_files(tmp_path)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("{", "damaged"),
        ("[]", "not a JSON object"),
        ("{}", "weight_map"),
        ('{"weight_map": {"x": "../../etc/passwd"}}', "outside its folder"),
    ],
)
def test_a_damaged_index_is_refused(tmp_path: Path, text: str, match: str) -> None:
    (tmp_path / "model.safetensors.index.json").write_text(text)
    with pytest.raises(ModelError, match=match):
        weight_files(tmp_path)


def test_a_tensor_in_two_shards_is_refused(tmp_path: Path) -> None:
    write_shards(tmp_path, random_weights(), count=1, stem="a", index=None)
    write_shards(tmp_path / "other", random_weights(), count=1, stem="b", index=None)
    with pytest.raises(ModelError, match="repeats"):
        load((*weight_files(tmp_path), *weight_files(tmp_path / "other")))


def test_a_folder_without_weights_says_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="transformers"):
        find_transformer(tmp_path)


@pytest.mark.parametrize("config", [{"num_heads": 2}, {"num_attention_heads": 2, "attention_head_dim": 64}])
def test_a_config_with_other_heads_is_refused(tmp_path: Path, config: dict[str, int]) -> None:
    """The only constant that no shape shows: 1 head of 128 and 2 heads of 64 have the same tensors."""
    write_shards(tmp_path / "transformers", random_weights())
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="heads = 2"):
        load(find_transformer(tmp_path))
