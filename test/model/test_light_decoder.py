"""The light decoder: published names and shapes, streaming, and its arithmetic against one pass over all frames."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from lingbot_ros.checkpoints.light_decoder import load_light_decoder
from lingbot_ros.errors import ErrorCode, ModelError
from lingbot_ros.model.light_decoder import LightDecoder, build_decoder
from lingbot_ros.world.memory_plan import LIGHT_PARAMETERS
from test.support.tiny_light_decoder import light_weights, write_light_decoder


def halved(latents: Tensor) -> Tensor:
    return latents / 2


def load(path: Path) -> LightDecoder:
    return load_light_decoder(path, "cpu", torch.float32, halved)


def one_pass(weights: dict[str, Tensor], latents: Tensor) -> Tensor:
    """All frames at once from the weights by name: [1, 16, f, h, w] -> [n, H, W, 3] in 0..255."""

    def conv(name: str, x: Tensor, padding: int = 1) -> Tensor:
        return F.conv2d(x, weights[f"decoder.{name}.weight"], weights.get(f"decoder.{name}.bias"), padding=padding)

    x = F.relu(conv("1", 3 * torch.tanh(latents[0].transpose(0, 1) / 3)))
    for first in (3, 9, 15):
        for block in range(first, first + 3):
            before = torch.cat((torch.zeros_like(x[:1]), x[:-1]))
            hidden = F.relu(conv(f"{block}.conv.0", torch.cat((x, before), 1)))
            x = F.relu(conv(f"{block}.conv.4", F.relu(conv(f"{block}.conv.2", hidden))) + x)
        x = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
        grown = conv(f"{first + 4}.conv", x, padding=0)
        x = conv(str(first + 5), grown.reshape(-1, *x.shape[1:]))
    return (conv("22", F.relu(x))[3:].clamp(0, 1) * 255).permute(0, 2, 3, 1)


def test_frames_are_those_of_one_pass_over_the_clip(tmp_path: Path) -> None:
    latents = torch.randn(1, 16, 5, 4, 6, generator=torch.manual_seed(3))
    frames, _ = load(write_light_decoder(tmp_path)).decode(latents, {})
    expected = one_pass(light_weights(), latents)
    assert frames.shape == (17, 32, 48, 3) and frames.dtype == np.uint8
    assert np.abs(frames - expected.numpy()).max() <= 0.51
    assert frames.std() > 20, "weights that saturate would compare nothing"


@pytest.mark.parametrize("sizes", [[1] * 6, [3, 3], [2, 4]], ids=str)
def test_streaming_equals_one_piece(tmp_path: Path, sizes: list[int]) -> None:
    decoder = load(write_light_decoder(tmp_path))
    latents = torch.randn(1, 16, 6, 4, 6, generator=torch.manual_seed(4))
    whole, _ = decoder.decode(latents, decoder.start())
    state, pieces = decoder.start(), []
    for chunk in latents.split(sizes, dim=2):
        before = {name: tensor.clone() for name, tensor in state.items()}
        frames, after = decoder.decode(chunk, state)
        assert all(torch.equal(state[name], tensor) for name, tensor in before.items()), "a state is a value"
        pieces.append(frames)
        state = after
    assert np.array_equal(np.concatenate(pieces), whole)
    assert [len(piece) for piece in pieces] == [4 * size - (3 if index == 0 else 0) for index, size in enumerate(sizes)]


def test_light_files_take_latents_that_are_not_normalised(tmp_path: Path) -> None:
    latents = torch.randn(1, 16, 2, 4, 4, generator=torch.manual_seed(5))
    usual, _ = load(write_light_decoder(tmp_path)).decode(halved(latents), {})
    raw, _ = load(write_light_decoder(tmp_path, "lighttaew2_1.pth")).decode(latents, {})
    assert np.array_equal(raw, usual)


def test_the_published_names_and_shapes() -> None:
    """Of taew2_1: 16 latent channels, widths 256, 128, 64, 64."""
    with torch.device("meta"):
        shapes = {name: tuple(t.shape) for name, t in build_decoder(16, (256, 128, 64, 64), 3).state_dict().items()}
    assert sum(int(np.prod(shape)) for shape in shapes.values()) == LIGHT_PARAMETERS
    assert len(shapes) == 2 + 9 * 6 + 3 + 3 + 2
    assert shapes["decoder.1.weight"] == (256, 16, 3, 3)
    assert shapes["decoder.3.conv.0.weight"] == (256, 512, 3, 3)
    assert shapes["decoder.7.conv.weight"] == (256, 256, 1, 1)
    assert shapes["decoder.13.conv.weight"] == (256, 128, 1, 1)
    assert shapes["decoder.19.conv.weight"] == (128, 64, 1, 1)
    assert shapes["decoder.22.bias"] == (3,)
    assert "decoder.8.bias" not in shapes


def test_safetensors_and_wider_growths_load_as_well(tmp_path: Path) -> None:
    weights = light_weights()
    grow = weights["decoder.7.conv.weight"]
    wide = {**weights, "decoder.7.conv.weight": torch.cat((torch.ones_like(grow), grow))}
    save_file(wide, tmp_path / "taew2_1.safetensors")
    latents = torch.randn(1, 16, 2, 4, 4, generator=torch.manual_seed(6))
    expected, _ = load(write_light_decoder(tmp_path)).decode(latents, {})
    assert np.array_equal(load(tmp_path / "taew2_1.safetensors").decode(latents, {})[0], expected)


def test_files_that_do_not_fit_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"absent.pth does not exist; download taew2_1") as error:
        load(tmp_path / "absent.pth")
    assert error.value.code is ErrorCode.UNKNOWN_MODEL
    weights = light_weights()
    del weights["decoder.10.conv.2.bias"]
    torch.save(weights, tmp_path / "part.pth")
    with pytest.raises(ModelError, match="missing decoder.10.conv.2.bias"):
        load(tmp_path / "part.pth")
    torch.save({"decoder.conv_in.weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(ModelError, match=r"has no decoder.1.weight; use taew2_1"):
        load(tmp_path / "other.pth")
    (tmp_path / "broken.pth").write_bytes(b"no tensors")
    with pytest.raises(ModelError, match="damaged"):
        load(tmp_path / "broken.pth")
