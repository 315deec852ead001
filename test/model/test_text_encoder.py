"""Prompts to features (model_spec 3.2), against transformers."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import UMT5EncoderModel

from lingbot_ros.checkpoints.names import text_encoder_name
from lingbot_ros.checkpoints.text_encoder import load_text_encoder
from lingbot_ros.errors import ModelError
from lingbot_ros.model.config import TextConfig
from lingbot_ros.model.text_encoder import TextEncoder, clean_prompt
from test.support.tiny_text import WIDTH, WORDS, write_tiny_text

CONFIG = TextConfig(WIDTH, 10)


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, UMT5EncoderModel]:
    folder = tmp_path_factory.mktemp("text")
    return folder, write_tiny_text(folder)


@pytest.fixture(scope="module")
def encoder(reference: tuple[Path, UMT5EncoderModel]) -> TextEncoder:
    folder, _ = reference
    return load_text_encoder(folder / "text_encoder", folder / "tokenizer", CONFIG, "cpu", torch.float32)


def expected_features(network: UMT5EncoderModel, words: str) -> Tensor:
    ids = torch.tensor([[WORDS.index(word) for word in [*words.split(), "</s>"]]])
    features = torch.zeros(1, CONFIG.length, WIDTH)
    features[:, : ids.shape[1]] = network(ids).last_hidden_state
    return features


def test_features_are_those_of_transformers_without_padding_then_zeros(
    encoder: TextEncoder, reference: tuple[Path, UMT5EncoderModel]
) -> None:
    expected = expected_features(reference[1], "a red house in the rain")
    features = encoder.encode("a  red house\nin the rain ")
    assert (features - expected).abs().max() < 1e-5
    assert not features[:, 7:].any() and features[:, :7].all()


def test_long_prompts_are_cut_and_keep_their_end_mark(encoder: TextEncoder) -> None:
    features = encoder.encode("rain " * 40)
    assert features.shape == (1, 10, WIDTH) and features[:, -1].any()


def test_an_empty_prompt_has_its_end_mark_only(encoder: TextEncoder, reference: tuple[Path, UMT5EncoderModel]) -> None:
    assert (encoder.encode("") - expected_features(reference[1], "")).abs().max() < 1e-5


def test_a_prompt_is_encoded_once(encoder: TextEncoder) -> None:
    assert encoder.encode("night falls") is encoder.encode(" night  falls")


@pytest.mark.parametrize(
    ("dirty", "clean"),
    [
        ("  a\t red\n\nhouse ", "a red house"),
        ("snow &amp;amp; rain", "snow & rain"),
        ("it&#39;s", "it's"),
        ("schÃ¶n", "schön"),
    ],
)
def test_cleaning(dirty: str, clean: str) -> None:
    assert clean_prompt(dirty) == clean


def original_name(name: str) -> str:
    """The original package's name of a transformers tensor, found by trying the table's own originals."""
    originals = ["token_embedding.weight", "norm.weight"] + [
        f"blocks.{block}.{part}.weight"
        for block in range(2)
        for part in (
            "norm1", "norm2", "attn.q", "attn.k", "attn.v", "attn.o",
            "pos_embedding.embedding", "ffn.gate.0", "ffn.fc1", "ffn.fc2",
        )
    ]  # fmt: skip
    return {text_encoder_name(original): original for original in originals}[name]


def test_the_original_pth_loads_through_the_rename_map(
    encoder: TextEncoder, reference: tuple[Path, UMT5EncoderModel], tmp_path: Path
) -> None:
    """2 + 10 tensors per layer (model_spec 1.6)."""
    stored = load_file(reference[0] / "text_encoder" / "model.safetensors")
    stored.pop("encoder.embed_tokens.weight", None)
    path = tmp_path / "models_t5_umt5-xxl-enc-bf16.pth"
    torch.save({original_name(name): tensor for name, tensor in stored.items()}, path)
    loaded = load_text_encoder(path, reference[0] / "tokenizer", CONFIG, "cpu", torch.float32)
    assert torch.equal(loaded.encode("a red house"), encoder.encode("a red house"))


def test_other_weights_are_refused_by_name(reference: tuple[Path, UMT5EncoderModel], tmp_path: Path) -> None:
    stored = load_file(reference[0] / "text_encoder" / "model.safetensors")
    stored["encoder.block.1.layer.0.SelfAttention.k.weight"] = torch.zeros(3, 3)
    save_file(stored, tmp_path / "model.safetensors")
    with pytest.raises(ModelError, match=r"SelfAttention.k.weight is \[3, 3\], must be \[16, 16\]"):
        load_text_encoder(tmp_path, reference[0] / "tokenizer", CONFIG, "cpu", torch.float32)
    with pytest.raises(ModelError, match="width 16, the model takes 4096"):
        load_text_encoder(reference[0] / "text_encoder", reference[0] / "tokenizer", TextConfig(), "cpu", torch.float32)


def test_a_missing_tokenizer_is_named(reference: tuple[Path, UMT5EncoderModel], tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="tokenizer"):
        load_text_encoder(reference[0] / "text_encoder", tmp_path / "none", CONFIG, "cpu", torch.float32)
