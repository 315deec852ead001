"""Loading a world: unknown names, damaged weights and engines that are not there are refused with what to do."""

import shutil
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


SHIPPED = Path(__file__).parents[2] / "models"


def changed_copy(name: str, folder: Path, change: dict[str, object]) -> Path:
    """A shipped model beside a card in which some values are others: keys are `part.key`, or a key alone."""
    copy = Path(shutil.copytree(SHIPPED / name, folder / name))
    card = yaml.safe_load((copy / "card.yaml").read_text())
    for place, value in change.items():
        part, _, key = place.rpartition(".")
        (card[part] if part else card)[key] = value
    (copy / "card.yaml").write_text(yaml.safe_dump(card))
    return copy


@pytest.mark.parametrize(
    ("name", "change", "match"),
    [
        ("pusht-lasting", {"architecture.layers": 3}, r"drawn is \[2, 2\], must be \[3, 2\]"),
        ("pusht-lasting", {"architecture.corners": 7}, "architecture.corners: got 7; give 24 to 256"),
        ("pusht-lasting", {"architecture.extent_px": 1024, "architecture.texels": 32}, "memory: .* does not fit"),
        ("pusht-lasting", {"stream.chunk": 2}, "stream.chunk: got 2; .* one frame at a time"),
        ("pusht-lasting", {"trust.right_px": -1.0}, "trust.right_px: got -1.0; give 0 to"),
        ("rooms-small", {"architecture.widths": [64, 112, 200]}, r"down2.bias is \[192\], must be \[200\]"),
        ("rooms-small", {"architecture.keyframes": 10**6}, "architecture.keyframes: got 1000000; give 1 to 4096"),
        ("rooms-small", {"architecture.keyframes": 4096, "height": 8192, "width": 8192}, "memory: .* does not fit"),
        ("rooms-small", {"stream.chunk": 3}, "stream.chunk: got 3; .* one frame at a time"),
        ("rooms-small", {"intrinsics": [0.0, 100.0, 64.0, 64.0]}, "intrinsics: got .* positive focal lengths"),
        ("rooms-small", {"intrinsics": [100.0]}, "intrinsics: got .*; give 4 values"),
        ("rooms-small", {"demo_poses": "../poses.npy"}, "demo_poses: got .* beside the card"),
    ],
)
def test_a_card_of_layers_or_of_a_scene_that_cannot_be_is_refused(
    tmp_path: Path, name: str, change: dict[str, object], match: str
) -> None:
    with pytest.raises(LingbotError, match=match):
        World.load(changed_copy(name, tmp_path, change))


@pytest.mark.parametrize("name", ["pusht-lasting", "rooms-small"])
def test_weights_of_layers_and_scenes_are_whole_and_finite(tmp_path: Path, name: str) -> None:
    copy = changed_copy(name, tmp_path, {})
    tensors = load_file(copy / "model.safetensors")
    first = next(key for key, tensor in tensors.items() if tensor.is_floating_point())
    tensors[first].view(-1)[0] = float("nan")
    save_file(tensors, copy / "model.safetensors")
    resign(copy)
    with pytest.raises(ModelError, match=f"{first} hold NaN or infinity"):
        World.load(copy)
    (copy / "model.safetensors").write_bytes(b"no weights")
    resign(copy)
    with pytest.raises(ModelError, match="truncated or not a safetensors file"):
        World.load(copy)


@pytest.mark.parametrize("precision", ["bf16", "int8", "fp8"])
def test_low_precision_runs_and_stays_close(model: Path, precision: str) -> None:
    import numpy as np

    image = np.full((32, 32, 3), 128, np.uint8)
    exact = World.load(model).start(image).step([[100.0, 100.0]])
    rounded = World.load(model, precision=precision).start(image).step([[100.0, 100.0]])
    assert np.abs(exact.astype(int) - rounded.astype(int)).mean() < 3
