"""Loading a world: unknown names, damaged weights and engines that are not there are refused with what to do."""

from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file

from lingbot_ros.checkpoints.tensors import file_sha256
from lingbot_ros.errors import EngineError, ErrorCode, InputError, LingbotError, ModelError
from lingbot_ros.world import World
from test.support.tiny_model import write_tiny_model


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_tiny_model(tmp_path)


def resign(model: Path) -> None:
    """Make the card name the weights file as it is now."""
    card = yaml.safe_load((model / "card.yaml").read_text())
    weights = model / card["weights"]["file"]
    card["weights"] |= {"sha256": file_sha256(weights), "bytes": weights.stat().st_size}
    (model / "card.yaml").write_text(yaml.safe_dump(card))


def test_the_info_says_what_runs(model: Path) -> None:
    info = World.load(model, threads=1).info
    assert str(info.engine) == f"torch {torch.__version__} on cpu, f32, 1 thread"
    assert info.parameters > 0 and info.weights_bytes == 4 * info.parameters and info.session_bytes > 0


def test_unknown_name_lists_the_known_ones(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINGBOT_MODELS", str(model.parent))
    assert World.load("tiny").info.name == "tiny"
    with pytest.raises(ModelError, match="'tinny'.*tiny") as error:
        World.load("tinny")
    assert error.value.code is ErrorCode.UNKNOWN_MODEL


@pytest.mark.parametrize("cut", [0, 7, 5000, -1])
def test_truncated_weights_are_refused(model: Path, cut: int) -> None:
    weights = model / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:cut])
    with pytest.raises(ModelError, match="truncated"):
        World.load(model)
    resign(model)  # even when the card agrees with the truncated file
    with pytest.raises(ModelError, match="truncated or not a safetensors file"):
        World.load(model)


def test_a_flipped_byte_is_refused(model: Path) -> None:
    weights = model / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-3] ^= 1
    weights.write_bytes(data)
    with pytest.raises(ModelError, match="SHA-256"):
        World.load(model)


def test_a_pickle_is_refused_unread(model: Path) -> None:
    torch.save({"x": torch.zeros(3)}, model / "model.safetensors")
    resign(model)
    with pytest.raises(ModelError, match="not a safetensors file"):
        World.load(model)


@pytest.mark.parametrize("change", ["missing", "extra", "transposed"])
def test_weights_that_do_not_fit_are_named(model: Path, change: str) -> None:
    path = model / "model.safetensors"
    tensors = load_file(path)
    name = "blocks.1.ffn.0.weight"
    if change == "missing":
        del tensors[name]
    elif change == "extra":
        name = "blocks.2.ffn.0.weight"
        tensors[name] = torch.zeros(3)
    else:
        tensors[name] = tensors[name].T.contiguous()
    save_file(tensors, path)
    resign(model)
    with pytest.raises(ModelError, match=name):
        World.load(model)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"stream": {"chunk": 2, "window": 1}}, "window"),
        ({"stream": {"chunk": 1}}, "window"),
        ({"colour": "red"}, "colour"),
        ({"architecture": {"dim": 5}}, "architecture"),
        ({"sampler": {"timesteps": [1.0], "sigmas": []}}, "sampler"),
    ],
)
def test_a_wrong_card_names_the_key(model: Path, change: dict[str, object], match: str) -> None:
    card = yaml.safe_load((model / "card.yaml").read_text()) | change
    (model / "card.yaml").write_text(yaml.safe_dump(card))
    with pytest.raises(LingbotError, match=match):
        World.load(model)


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"engine": "warp"}, EngineError, "warp"),
        ({"precision": "f12"}, InputError, "f12"),
        ({"threads": -1}, InputError, "threads"),
    ],
)
def test_what_cannot_run_is_an_error(
    model: Path, arguments: dict[str, object], error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        World.load(model, **arguments)  # type: ignore[arg-type]


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA GPU")
def test_a_gpu_that_is_not_there_never_becomes_a_cpu(model: Path) -> None:
    with pytest.raises(EngineError, match="cuda.*CPU|cuda.*cpu"):
        World.load(model, device="cuda")


@pytest.mark.parametrize("precision", ["bf16", "int8", "fp8"])
def test_low_precision_runs_and_stays_close(model: Path, precision: str) -> None:
    import numpy as np

    image = np.full((32, 32, 3), 128, np.uint8)
    exact = World.load(model).start(image).step([[100.0, 100.0]])
    rounded = World.load(model, precision=precision).start(image).step([[100.0, 100.0]])
    assert np.abs(exact.astype(int) - rounded.astype(int)).mean() < 3
