"""Every card of the family: its numbers, and its files, in both packagings, in a folder and in the download cache."""

from pathlib import Path

import pytest

from lingbot_ros.checkpoints.cards import ModelCard, find_card, list_cards
from lingbot_ros.checkpoints.detect import detect_architecture
from lingbot_ros.checkpoints.files import locate, unavailable_reason
from lingbot_ros.checkpoints.hub import HubWeights
from lingbot_ros.checkpoints.weights import parameter_shapes
from lingbot_ros.errors import ErrorCode, ModelError
from lingbot_ros.model.ring import Ring
from test.support.released_layouts import add_companions, random_weights, write_shards

FAMILY = [card for card in list_cards() if card.family == "lingbot-world"]
PARAMETERS = {"lingbot-world-v2-1.3b": 1_709_502_016, "lingbot-world-base-act": 18_545_643_584}


@pytest.fixture(autouse=True)
def nothing_is_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("LINGBOT_WEIGHTS", str(tmp_path / "weights"))


@pytest.mark.parametrize("card", FAMILY, ids=lambda card: card.name)
def test_cards_of_the_family(card: ModelCard) -> None:
    assert isinstance(card.weights, HubWeights) and card.weights.repository.startswith("robbyant/")
    parameters = PARAMETERS.get(card.name, 18_544_332_864)
    assert card.weights.bytes == parameters * 4 * (2 if card.weights.experts else 1)
    assert detect_architecture(parameter_shapes(card.architecture)) == card.architecture
    assert card.non_commercial == ("-v2-" in card.name)
    Ring(card.stream.chunk, card.stream.window, card.stream.sink)
    assert find_card(card.weights.repository) == find_card(card.weights.name) == card


@pytest.mark.parametrize("card", FAMILY, ids=lambda card: card.name)
def test_without_weights_a_card_says_what_to_download(card: ModelCard) -> None:
    with pytest.raises(ModelError, match=f"models download {card.name}.*{card.weights.repository}.*GB") as error:  # type: ignore[union-attr]
        locate(card)
    assert error.value.code is ErrorCode.UNKNOWN_MODEL and unavailable_reason(card) == str(error.value)


def write_original(root: Path) -> None:
    write_shards(root / "lingbot-world-fast", random_weights())
    (root / "lingbot-world-base-cam").mkdir()
    add_companions(root / "lingbot-world-base-cam")


def test_original_layout_in_a_folder_of_ones_own(tmp_path: Path) -> None:
    write_original(tmp_path / "weights")
    files = locate(find_card("lingbot-world-fast"))
    base = tmp_path / "weights" / "lingbot-world-base-cam"
    assert len(files.transformer) == 3 and not files.low_noise
    assert files.autoencoder == base / "Wan2.1_VAE.pth"
    assert files.text_encoder == base / "models_t5_umt5-xxl-enc-bf16.pth"
    assert files.tokenizer == base / "google" / "umt5-xxl"


def test_the_digest_follows_the_weights(tmp_path: Path) -> None:
    write_original(tmp_path / "weights")
    before = locate(find_card("lingbot-world-fast")).digest
    write_shards(tmp_path / "weights" / "lingbot-world-fast", random_weights(), count=2)
    (tmp_path / "weights" / "lingbot-world-fast" / "diffusion_pytorch_model-00003-of-00003.safetensors").unlink()
    assert locate(find_card("lingbot-world-fast")).digest != before


def test_diffusers_layout_in_the_download_cache(tmp_path: Path) -> None:
    cached = tmp_path / "hub" / "models--robbyant--lingbot-world-v2-14b-causal-fast-diffusers"
    snapshot = cached / "snapshots" / "abc"
    write_shards(snapshot / "transformer", random_weights())
    for part in ("vae", "text_encoder", "tokenizer"):
        (snapshot / part).mkdir()
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text("abc")
    files = locate(find_card("lingbot-world-v2-14b"))
    assert [path.parent for path in files.transformer] == [snapshot / "transformer"] * 3
    assert (files.autoencoder, files.text_encoder) == (snapshot / "vae", snapshot / "text_encoder")


def test_an_unfinished_download_says_what_is_missing_and_how_to_go_on(tmp_path: Path) -> None:
    write_original(tmp_path / "weights")
    (tmp_path / "weights" / "lingbot-world-base-cam" / "Wan2.1_VAE.pth").unlink()
    with pytest.raises(ModelError, match="no autoencoder.*models download lingbot-world-fast"):
        locate(find_card("lingbot-world-fast"))


@pytest.mark.parametrize("name", ["lingbot-world-base-cam", "lingbot-world-base-act"])
def test_the_negative_prompt_of_base_is_the_official_one(name: str) -> None:
    """Four of its phrases; with others the guidance leads away from something else."""
    phrases = find_card(name).sampler.negative_prompt.split("，")  # type: ignore[union-attr]
    assert len(phrases) == 57 and {"镜头晃动", "模糊", "PPT幻灯片感", "霓虹灯光感"} <= set(phrases)
    assert not {"镜头抖动", "模糊失真", "幻灯片感", "霓虹灯光"} & set(phrases)


@pytest.mark.parametrize("name", ["x" * 300, "a\0b", "y/" * 3000])
def test_a_name_that_no_folder_can_have_is_an_unknown_model(name: str) -> None:
    with pytest.raises(ModelError, match="model: got"):
        find_card(name)
