"""The video autoencoder as a stream (model_spec 2.1, 5.6, 7.1 step 9), against official numbers and diffusers."""

from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKLWan
from safetensors.torch import load_file, save_file
from torch import Tensor

from lingbot_ros.checkpoints.autoencoder import load_wan_autoencoder
from lingbot_ros.checkpoints.names import autoencoder_name
from lingbot_ros.errors import ModelError
from lingbot_ros.model.condition import FirstFrame
from lingbot_ros.model.wan_autoencoder import WanAutoencoder

DATA = Path(__file__).parents[1] / "data" / "conformance"


def official_weights() -> dict[str, Tensor]:
    return {name: torch.from_numpy(array) for name, array in np.load(DATA / "vae_weights.npz").items()}


@pytest.fixture(scope="module")
def io() -> dict[str, Tensor]:
    return load_file(DATA / "vae_io.safetensors")


@pytest.fixture(scope="module")
def autoencoder(tmp_path_factory: pytest.TempPathFactory) -> WanAutoencoder:
    path = tmp_path_factory.mktemp("vae") / "Wan2.1_VAE.pth"
    torch.save(official_weights(), path)
    return load_wan_autoencoder(path, "cpu", torch.float32)


@pytest.fixture(scope="module")
def diffusers_network() -> AutoencoderKLWan:
    network = AutoencoderKLWan(base_dim=8)
    network.load_state_dict({autoencoder_name(name): tensor for name, tensor in official_weights().items()})
    return network.eval().requires_grad_(False)


def encode_clip(autoencoder: WanAutoencoder, pixels: Tensor) -> Tensor:
    latent, state = autoencoder.encode_next(pixels[:, :, :1], {})
    latents = [latent]
    for first in range(1, pixels.shape[2], 4):
        latent, state = autoencoder.encode_next(pixels[:, :, first : first + 4], state)
        latents.append(latent)
    return torch.cat(latents, dim=2)


def decode_chunks(autoencoder: WanAutoencoder, latents: Tensor, sizes: list[int]) -> Tensor:
    state, frames = autoencoder.start(), []
    for chunk in latents.split(sizes, dim=2):
        pixels, state = autoencoder.decode_pixels(chunk, state)
        frames.append(pixels)
    return torch.cat(frames, dim=2)


def test_streamed_latents_are_the_official_ones(autoencoder: WanAutoencoder, io: dict[str, Tensor]) -> None:
    assert (encode_clip(autoencoder, io["clip"][None])[0] - io["latent"]).abs().max() < 2e-5


@pytest.mark.parametrize(
    ("latent", "decoded", "sizes"),
    [("latent", "decoded_unclamped", [3]), ("random_latent", "random_decoded_unclamped", [1, 2, 1])],
)
def test_streamed_frames_are_the_official_ones(
    autoencoder: WanAutoencoder, io: dict[str, Tensor], latent: str, decoded: str, sizes: list[int]
) -> None:
    frames = decode_chunks(autoencoder, io[latent][None], sizes)[0]
    assert frames.shape == io[decoded].shape
    assert (frames - io[decoded]).abs().max() < 2e-5


@pytest.mark.parametrize("sizes", [[1] * 9, [3, 3, 3], [4, 4, 1], [9]])
def test_streaming_equals_diffusers_in_one_piece(
    autoencoder: WanAutoencoder, diffusers_network: AutoencoderKLWan, sizes: list[int]
) -> None:
    torch.manual_seed(0)
    latents = torch.randn(1, 16, 9, 4, 5)
    scale, mean = (
        torch.tensor(values).view(1, -1, 1, 1, 1)
        for values in (diffusers_network.config.latents_std, diffusers_network.config.latents_mean)
    )
    expected = diffusers_network.decode(latents * scale + mean).sample
    assert torch.equal(decode_chunks(autoencoder, latents, sizes).clamp(-1, 1), expected)


def test_a_state_is_a_value(autoencoder: WanAutoencoder) -> None:
    """Decoding twice from one state gives the same, and leaves the state as it was: forks rely on it."""
    torch.manual_seed(0)
    _, state = autoencoder.decode(torch.randn(1, 16, 3, 4, 4), {})
    before = {name: tensor.clone() for name, tensor in state.items()}
    one, two = torch.randn(1, 16, 3, 4, 4), torch.randn(1, 16, 3, 4, 4)
    first, _ = autoencoder.decode(one, state)
    other, _ = autoencoder.decode(two, state)
    again, _ = autoencoder.decode(one, state)
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert first.shape == (12, 32, 32, 3) and first.dtype == np.uint8
    assert all(torch.equal(state[name], tensor) for name, tensor in before.items())


def test_chunks_have_9_then_12_or_13_then_16_frames(autoencoder: WanAutoencoder) -> None:
    counts = [[autoencoder.frames_of_chunk(chunk, index) for index in range(3)] for chunk in (1, 3, 4)]
    assert counts == [[1, 4, 4], [9, 12, 12], [13, 16, 16]]


def test_images_are_fitted_as_officially(autoencoder: WanAutoencoder, io: dict[str, Tensor]) -> None:
    fitted = autoencoder.fit(io["image_u8"].permute(1, 2, 0).numpy(), 32, 40)
    assert (fitted[0, :, 0] - io["image_resized"]).abs().max() < 2e-5


def test_the_image_condition_is_the_official_one(autoencoder: WanAutoencoder, io: dict[str, Tensor]) -> None:
    """Ones in the mask of the first latent frame only, then the image's latents (model_spec 3.1)."""
    condition = FirstFrame(autoencoder, chunk=1)
    condition.start(autoencoder.fit(io["image_u8"].permute(1, 2, 0).numpy(), 32, 40))
    chunks = []
    for _ in range(3):
        chunks.append(condition.chunk())
        condition.commit(torch.zeros(1, 16, 1, 4, 5))
    assert (torch.cat(chunks, dim=2)[0] - io["y"]).abs().max() < 2e-5


def test_latents_of_the_empty_frames_become_constant(autoencoder: WanAutoencoder, io: dict[str, Tensor]) -> None:
    """Cut short exactly where the encoder would repeat itself for ever."""
    image = io["image_resized"][None, :, None]
    latents = autoencoder.image_latents(image)
    assert autoencoder.image_latents(image.clone()) is latents
    far = latents.frames(1000, 4)
    count = len(latents._latents)
    assert 5 < count < 40 and len(latents._state) == 0
    clip = torch.cat((image, torch.zeros(1, 3, 4 * (count + 2), 32, 40)), dim=2)
    whole = encode_clip(autoencoder, clip)
    assert torch.equal(latents.frames(0, count + 3), whole)
    assert torch.equal(far, whole[:, :, -1:].expand(-1, -1, 4, -1, -1))


def test_a_condition_restored_from_its_state_continues(autoencoder: WanAutoencoder, io: dict[str, Tensor]) -> None:
    condition, restored = FirstFrame(autoencoder, chunk=2), FirstFrame(autoencoder, chunk=2)
    condition.start(io["image_resized"][None, :, None])
    condition.commit(torch.empty(0))
    restored.load_state({name: tensor.clone() for name, tensor in condition.state().items()})
    assert torch.equal(restored.chunk(), condition.chunk())
    assert not restored.chunk()[:, :4].any()


@pytest.mark.parametrize("sizes", [[1, 4, 4, 4], [5, 8], [9, 4], [13]], ids=str)
def test_real_frames_in_pieces_are_encoded_as_one_clip(autoencoder: WanAutoencoder, sizes: list[int]) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (13, 32, 40, 3), dtype=np.uint8)
    clip = torch.from_numpy(frames).permute(3, 0, 1, 2)[None] / 127.5 - 1
    latents, state, first = [], {}, 0
    for size in sizes:
        part, state = autoencoder.encode(frames[first : first + size], state)
        latents.append(part)
        first += size
    assert torch.equal(torch.cat(latents, dim=2), encode_clip(autoencoder, clip))


def test_diffusers_names_load_as_well(autoencoder: WanAutoencoder, tmp_path: Path, io: dict[str, Tensor]) -> None:
    weights = {autoencoder_name(name): tensor for name, tensor in official_weights().items()}
    save_file(weights, tmp_path / "diffusion_pytorch_model.safetensors")
    loaded = load_wan_autoencoder(tmp_path, "cpu", torch.float32)
    assert torch.equal(encode_clip(loaded, io["clip"][None]), encode_clip(autoencoder, io["clip"][None]))


def missing(weights: dict[str, Tensor]) -> None:
    del weights["decoder.conv1.bias"]


def transposed(weights: dict[str, Tensor]) -> None:
    weights["conv2.weight"] = torch.zeros(8, 16, 1, 1, 1)


def other_model(weights: dict[str, Tensor]) -> None:
    weights.clear()
    weights["some.weight"] = torch.zeros(1)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (missing, "missing decoder.conv_in.bias"),
        (transposed, "post_quant_conv.weight is [8, 16, 1, 1, 1], must be [16, 16, 1, 1, 1]"),
        (other_model, "no encoder.conv_in.weight"),
    ],
)
def test_weights_that_do_not_fit_are_named(damage: object, message: str, tmp_path: Path) -> None:
    weights = official_weights()
    damage(weights)  # type: ignore[operator]
    save_file(weights, tmp_path / "vae.safetensors")
    with pytest.raises(ModelError) as error:
        load_wan_autoencoder(tmp_path / "vae.safetensors", "cpu", torch.float32)
    assert message in str(error.value)
